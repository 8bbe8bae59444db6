"""The pure floor that decides, held to its rules case by case."""
