"""Facts from the configuration: one clear error for what is missing, with its key and the remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.config.load import load
from pipeline.demo.gym import make_demo
from pipeline.errors import SetupError
from pipeline.installation import Installation
from pipeline.paper.stated import facts_of
from tests.support.configuration import GOOD, mistakes
from tests.support.papers import FULL, facts_in


def test_no_controller_is_one_error_with_the_keys(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"no \[controller\].*Add it, with name, business_id"):
        facts_in(tmp_path, GOOD)


@pytest.mark.parametrize("key", re.findall(r"^(\w+) =", FULL[FULL.index("[controller]") : FULL.index("[[c")], re.M))
def test_each_missing_key_is_named_with_its_remedy(tmp_path: Path, key: str) -> None:
    text = re.sub(rf"^{key} = .*\n", "", FULL, count=1, flags=re.M)
    if key == "authority":
        assert "tietosuoja.fi" in facts_in(tmp_path, text).controller.authority.fi
        return
    text = text.replace("[controller]\n[", "[controller]\n\n[")
    said = [line for line in mistakes(tmp_path, text) if f"controller.{key}: It is missing. Add it." in line]
    assert len(said) == 1 or key == "name"  # a camera's and a site's, too, are called name


def test_controller_must_ground_footage_and_members_and_name_its_interest(tmp_path: Path) -> None:
    only_footage = re.sub(r"\[\[controller.ground\]\]\ndata = .members(.*\n)*?\n", "", FULL)
    assert "needs a [[controller.ground]] for members" in mistakes(tmp_path, only_footage)[0]
    unnamed = re.sub(r"interest = .*\n", "", FULL)
    assert any("needs interest where its basis is" in line for line in mistakes(tmp_path, unnamed))
    assert any("basis" in line for line in mistakes(tmp_path, FULL.replace('"contract"', '"habit"')))


def test_text_in_one_language_stands_for_both(tmp_path: Path) -> None:
    facts = facts_in(tmp_path, FULL.replace('{ fi = "tapaturmat", en = "accidents" }', '"tapaturmat"'))
    assert facts.cameras[1].purpose.en == facts.cameras[1].purpose.fi == "tapaturmat"


def test_demo_has_every_fact_and_says_that_it_is_a_demo(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "gym")
    installation.prepare()
    _, path = make_demo(installation, 4)
    facts = facts_of(load(path))
    assert "DEMO" in facts.controller.name and "DEMO" in facts.controller.business_id
    assert all("DEMO" in ground.purpose.fi and "DEMO" in ground.purpose.en for ground in facts.controller.grounds)
    assert all("DEMO" in camera.assessment for camera in facts.cameras) and len(facts.cameras) == 4
