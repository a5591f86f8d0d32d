"""The report: complete, self-contained, and inert."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from handmade import HOSTILE, case, completed, eventful, submission, unreadable_reference, vertebra
from PIL import Image

from ctspine_bench.cases import CaseFile
from ctspine_bench.evaluate import Pair, Plan
from ctspine_bench.records import Grid
from ctspine_bench.report.html import report_page, write_report
from ctspine_bench.report.worst import worst_cases
from ctspine_bench.testsets import custom, official
from ctspine_bench.volumes import write_labels

VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """The elements of a page: tags with attributes, texts by tag, and whether all are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Check that it is the innermost one that ends."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Note a text with the element that it is in."""
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def text(self, tag: str) -> str:
        """All texts directly in elements of that name."""
        return " ".join(self.texts.get(tag, []))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of that name."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(report_page(eventful(), command=HOSTILE))


@pytest.fixture
def plan(tmp_path) -> Plan:
    """Files for the cases a and b; the prediction of c is broken, that of d is missing."""
    labels = np.zeros((12, 12, 30), np.uint8)
    labels[4:8, 4:8, 4:12], labels[4:8, 4:8, 16:26] = 21, 20
    grid = Grid(labels.shape, np.diag([2.0, 2.0, 2.0, 1.0]))
    pairs = []
    for case_id in "abcd":
        files = [tmp_path / f"{case_id}_{side}.nii.gz" for side in ("reference", "prediction")]
        for file in files:
            write_labels(file, labels, grid)
        prediction = None if case_id == "d" else CaseFile(case_id, files[1], None)
        pairs.append(Pair(CaseFile(case_id, files[0], None), prediction))
    (tmp_path / "c_prediction.nii.gz").write_bytes(b"broken")
    return Plan(custom(), tuple(pairs), (), 0, "inputs")


def four_cases():
    return submission(
        [case(name, vertebra("L1", dsc, 1.0)) for name, dsc in {"a": 0.4, "b": 0.6, "c": 0.5, "d": 0.7}.items()]
    )


def test_the_page_asks_nobody_for_anything(page):
    """No source, link or style leads out of the file, and the policy in its head forbids it."""
    addresses = [
        attributes[name] for _, attributes in page.elements for name in ("src", "href", "action") if name in attributes
    ]
    assert {address for address in addresses if not address.startswith(("data:", "#"))} == set()
    assert "@import" not in page.text("style")
    assert "url(" not in page.text("style")
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_every_section_is_there_in_order(page):
    """The headline first, then from the table to the provenance."""
    assert page.texts["h2"] == [
        "Level by level", "Beside the official mean", "From C1 to L6", "Case by case", "Who was called what",
        "Where the DSC is lost", "Sources and strata", "Worst cases", "Missed, spurious, failed", "Policies",
        "Provenance",
    ]  # fmt: skip
    assert page.texts["h1"] == [HOSTILE]
    assert "0.247" in page.text("span")
    assert "Incomplete." in page.text("strong")


def test_the_cells_of_the_table_are_those_of_the_layout(page):
    """The official means stand in cells, and no cell is a NaN."""
    cells = page.texts["td"]

    assert {"0.533", "67.00", "0.247", "74.20", "–"} <= set(cells)
    assert "The paper's layout, this benchmark's rule" in page.texts["caption"]
    assert "L6†" in page.texts["th"]
    assert not any("nan" in cell.lower() for cell in cells)
    assert {header.get("scope") for header in page.all("th")} == {"col", "row"}


def test_strangers_names_are_inert(page):
    """A script in a name is text: there are no more script elements than the page's own."""
    own = [script for script in page.all("script") if script.get("type") == "application/json"]

    assert len(page.all("script")) == len(own) + 2
    assert "alert(1)" in page.text("td")
    assert not any("<script" in text for text in page.texts["script"] if text.startswith('{"data"'))


def test_all_elements_are_closed(page):
    """The parser has seen every end in order."""
    assert page.open == []


def test_headings_and_pictures_speak(page):
    """No level of heading is left out, and what can scroll can be reached and has a name."""
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    scrolling = [attributes for attributes in page.all("div") if "scroll" in (attributes.get("class") or "").split()]

    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(attributes["tabindex"] == "0" and attributes["aria-label"] for attributes in scrolling)


def test_the_worst_cases_have_pictures(plan):
    """Lowest DSC first, two pictures each that open; where files are broken or missing, the reason."""
    page = Page(report_page(four_cases(), plan))
    images = page.all("img")

    assert page.texts["h3"] == ["a", "c", "b", "d"]
    assert len(images) == 4
    assert all(image["alt"] for image in images)
    for image in images:
        content = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
        assert Image.open(io.BytesIO(content)).format == "PNG"
    assert "could not be read again" in page.text("p")
    assert "not at hand" in page.text("p")


def test_failed_cases_are_not_among_the_worst():
    """What was never looked at has no picture; there are at most six."""
    results = [case(f"{n}", vertebra("L1", n / 10, 1.0)) for n in range(8)]
    score = submission([*results, case("failed", vertebra("L1", 0.0, None), failure="x")])

    assert [each.case_id for each in worst_cases(score, None)] == ["0", "1", "2", "3", "4", "5"]


def test_the_comparison_is_there_for_the_paper_alone():
    """A complete test set of the paper has it in the open, an incomplete one the reason, another one neither."""
    result = case("a", vertebra("L1", 0.9, 1.0))
    complete = Page(report_page(completed("verse", result)))
    incomplete = Page(report_page(submission([result], official("verse"))))
    own = Page(report_page(submission([result])))

    assert [("Beside the paper" in page.texts["h2"]) for page in (complete, incomplete, own)] == [True, True, False]
    assert "Beside the published nnU-Net (Table 2 of Deng et al., 2024)" in complete.texts["caption"]
    assert "No comparison with the paper: 41 cases expected, 1 found." in incomplete.texts["p"]
    assert "To report: Mean of Vertebrae DSC 0.900" in complete.text("p")
    assert "To report" not in incomplete.text("p")


def test_what_stands_beside_the_official_mean(page):
    """Per case, over all vertebrae, matched alone, levels, and both identification rates.

    Cases: (.9 + .8 + 0 + 0 + 0)/5, (.7 + .6)/2 and 0; vertebrae: 3.0/8; HD95 of matched: T12 125.5, L1 4.0. One of
    the six reference vertebrae counts as a hit of VerSe's in each case.
    """
    text = page.text("dd")

    assert {"Per case", "Over all vertebrae", "HD95 of matched", "Identification rate"} <= set(page.texts["dt"])
    assert "DSC 0.330, HD95" in text
    assert "DSC 0.375, HD95" in text
    assert "64.75 mm: Mean of Vertebrae over 2 levels, 4 vertebrae" in text
    assert "0.0% of cases" in text
    assert "averaged over cases. By VerSe’s rule 50.0%" in text


def test_every_cause_of_lost_dsc_is_in_the_legend(page):
    """The four causes with their parts add up to what is lost."""
    swatches = [span["class"] for span in page.all("span") if "swatch" in (span.get("class") or "")]

    assert swatches[:4] == [f"swatch {name}" for name in ("identification", "missed", "boundary", "spurious")]


@pytest.mark.parametrize("score", [unreadable_reference(), submission([case("empty")])])
def test_without_numbers_there_is_still_a_page(score):
    """A broken reference and a case without vertebrae give a page that says so, without charts."""
    page = Page(report_page(score))

    assert page.open == []
    assert page.all("script") == []
    assert "Provenance" in page.texts["h2"]


def test_the_file_is_written_at_once(tmp_path, monkeypatch):
    """The file is whole or not there; nothing else stays in the folder."""
    path = tmp_path / "new" / "report.html"
    write_report(four_cases(), path)
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]
    before = path.read_bytes()

    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_report(eventful(), path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]
