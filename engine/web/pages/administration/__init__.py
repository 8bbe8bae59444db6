"""What those who run the engine connect, set, take over from before and watch."""
