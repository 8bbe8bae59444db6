"""What people of the random world do, held against the features they are to try (docs/proof.md)."""

from __future__ import annotations

import re
from pathlib import Path

from engine.prove.verbs import BY_NAME

PAGE = Path(__file__).parents[2] / "docs" / "proof.md"


def told_features() -> dict[str, list[str]]:
    """Return the verbs that the page tells of each feature."""
    table = PAGE.read_text(encoding="utf-8").partition("| feature | verbs |")[2].partition("\n\n")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")]
    return {feature.strip(): re.findall(r"`(\w+)`", named) for feature, named in rows}


class TestTheTableOfFeatures:
    def test_names_a_verb_for_each(self) -> None:
        features = told_features()

        assert len(features) > 20
        assert all(features.values()), [feature for feature, named in features.items() if not named]

    def test_names_only_verbs_that_people_know(self) -> None:
        """A verb that vanishes, or is called otherwise, leaves a feature untried."""
        told = {name for named in told_features().values() for name in named}

        assert told <= set(BY_NAME), f"nobody does this any more: {sorted(told - set(BY_NAME))}"

    def test_names_every_verb(self) -> None:
        """A new verb says which feature it tries."""
        told = {name for named in told_features().values() for name in named}

        assert set(BY_NAME) <= told, f"not told: {sorted(set(BY_NAME) - told)}"
