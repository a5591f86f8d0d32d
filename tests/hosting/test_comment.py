"""The comment on a pull request: from results to data, from data to Markdown."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from case_results import case, mask, missed, spurious
from command_line import exit_code
from comment_documents import COMMIT, PROBLEM, REFUSED, SCORED, Page, changed, check_tame, scored, test_set, written

from ctspine_bench.aggregate import summarise
from ctspine_bench.errors import CODES, SubmissionError
from ctspine_bench.evaluate import SubmissionScore
from ctspine_bench.hosting.comment import (
    CommentData,
    RefusalData,
    comment_markdown,
    read_comment_data,
    write_comment_data,
    write_refusal,
)
from ctspine_bench.hosting.disclosure.results import public_results
from ctspine_bench.provenance import Settings
from ctspine_bench.published import published_table
from ctspine_bench.rankings import RankInterval
from ctspine_bench.records import CaseResult, Failure
from ctspine_bench.results import results_document
from ctspine_bench.submissions.declaration import Declaration
from ctspine_bench.tables import SCHEMA_VERSION, case_table
from ctspine_bench.testsets import official, phantom

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ctspine_bench.testsets import TestSet

ARCHIVES = {
    name: {"url": f"https://zenodo.org/records/1/files/{name}.tar", "sha256": digit * 64, "size": 1}
    for name, digit in (("public", "a"), ("private", "b"), ("verse", "c"))
}
PARTIAL = {
    "coverage": "partial",
    "coverage_reason": "Two scans are broken.",
    "test_sets": {"public": ARCHIVES["public"]},
}
REFUSED_FILE = Failure("E_SHAPE", "prediction", "E_SHAPE: the whole message")


def declaration(**changes: Any) -> Declaration:
    """A complete declaration of somebody who trained on VerSe."""
    fields = {
        "schema_version": 1, "kind": "scored", "name": "My method", "team": "Spine group", "contact": "a@example.org",
        "owners": ["me"], "date": "2026-01-02", "description": "A U-Net.", "licence": "CC-BY-4.0",
        "training": {"data": ["CTSpine1K"], "uses_verse": True, "uses_test_cases": False}, "coverage": "complete",
        "test_sets": ARCHIVES, **changes,
    }  # fmt: skip
    return Declaration.model_validate_json(json.dumps(fields))


def score_of(cases: Sequence[CaseResult], of: TestSet) -> SubmissionScore:
    """The scores of some cases."""
    table = case_table(cases, of.name)
    return SubmissionScore(of, tuple(cases), table, summarise(table), (), 0, Settings())


CASES = [case(f"case{i}", mask("L1", 0.8 + i / 100, 2.0), mask("spine", 0.9, 1.0), spurious("L2")) for i in range(12)]
FAILED = case("broken", missed("L1"), missed("spine"), failure=REFUSED_FILE)
REFERENCE = {
    "schema_version": SCHEMA_VERSION,
    "kind": "published",
    "test_sets": {
        # As if the paper had two labels, those of the cases above.
        name: {
            "labels": {label: asdict(published_table(name).labels[label]) for label in ("L1", "L2")},
            "mean_of_vertebrae": asdict(published_table(name).mean_of_vertebrae),
            "note": "",
        }
        for name in ("public", "private", "verse")
    },
}


def public_document(*scores: SubmissionScore) -> dict[str, Any]:
    """results.json of a scored record."""
    submission = {"slug": "my-method", "commit": COMMIT, "same_predictions_as": []}
    return {**results_document(scores), "kind": "scored", "submission": submission}


def test_results_become_data(tmp_path: Path) -> None:
    """Each number is that of results.json, each rank that of the board, each flag that of the declaration."""
    results = public_document(score_of([*CASES, FAILED], official("public")))
    path = tmp_path / "comment.json"
    write_comment_data(results, declaration(), "my-method", path, {"public": RankInterval(2, 1, 2, 3)}, REFERENCE)
    data = read_comment_data(path)
    assert isinstance(data, CommentData)
    assert (data.slug, data.commit, data.uses_verse, data.coverage) == ("my-method", COMMIT, True, "complete")
    (found,) = data.test_sets
    expected = results["test_sets"]["public"]
    # L1 has a mean of 12 × 0.855 / 13 over 13 cases; L2 is spurious in 12, and so 0.
    assert found.mean_of_vertebrae.dsc == expected["mean_of_vertebrae"]["dsc"] == pytest.approx(12 * 0.855 / 13 / 2)
    assert found.mean_of_vertebrae.hd95_mm == pytest.approx(((12 * 2 + 100) / 13 + 100) / 2)
    assert found.mean_of_vertebrae.hd95_matched_mm == 2
    assert found.mean_of_spine.hd95_mm == expected["mean_of_spine"]["hd95_mm"]
    assert found.per_case_dsc.low == expected["per_case"]["dsc"]["low"]
    assert found.published is not None
    # Two of 25 labels are there: as a mean over matched vertebrae the printed HD95 is over all of them.
    assert (found.published.dsc, found.published.hd95_matched_mm) == (0.869, None)
    assert found.vertebrae is not None
    assert tuple(dict(found.vertebrae).values()) == (12, 1, 12)
    assert (found.refused[0].case_id, found.refused[0].code, found.n_refused) == ("broken", "E_SHAPE", {"E_SHAPE": 1})
    assert (found.rank.rank, found.rank.n_ranked, found.complete) == (2, 3, False)


def test_what_cannot_be_compared_with_the_paper(tmp_path: Path) -> None:
    """A mean over other labels than the paper's is not compared with it, nor anything with an outdated record of it."""
    path = tmp_path / "comment.json"

    def published(cases: Sequence[CaseResult], reference: dict[str, Any]) -> object:
        results = public_document(score_of(cases, official("public")))
        write_comment_data(results, declaration(), "my-method", path, {}, reference)
        return read_comment_data(path).test_sets[0].published

    assert published(CASES, REFERENCE) is not None
    assert published([with_l5(each) for each in CASES], REFERENCE) is None
    assert published(CASES, REFERENCE | {"schema_version": SCHEMA_VERSION - 1}) is None


def with_l5(result: CaseResult) -> CaseResult:
    """The case with one more vertebra."""
    score = result.score
    return replace(result, score=replace(score, vertebrae=(*score.vertebrae, mask("L5", 0.9, 1.0))))


def test_partial_coverage_is_not_ranked(tmp_path: Path) -> None:
    """Who leaves a test set out says why, and has no rank on the others."""
    results = public_document(score_of(CASES, official("public")))
    path = tmp_path / "comment.json"
    ranks = {"public": RankInterval(2, 1, 2, 3)}
    write_comment_data(results, declaration(**PARTIAL), "my-method", path, ranks, REFERENCE)
    data = read_comment_data(path)
    assert (data.coverage_reason, data.test_sets[0].rank) == ("Two scans are broken.", None)


def test_private_results_become_data(tmp_path: Path) -> None:
    """What disclosure leaves of a private set is enough for a comment, and nothing else enters it."""
    stranger = case("secret-name", missed("L1"), failure=Failure("E_MISSING_CASE", "prediction", "secret text"))
    score = score_of([*CASES, FAILED, stranger], phantom("phantom-private"))
    results = public_document(score_of(CASES, phantom("phantom-public")))
    results["test_sets"] = {"phantom-private": public_results(score, own_cases={"broken"})}
    path = tmp_path / "comment.json"
    write_comment_data(results, declaration(), "my-method", path, {}, REFERENCE)
    (found,) = read_comment_data(path).test_sets
    assert (found.n_refused, found.n_unnamed, found.published, found.rank) == ({"E_SHAPE": 1}, 1, None, None)
    assert "secret" not in path.read_text()
    text = comment_markdown(read_comment_data(path))
    assert "- 1 private cases that the archive does not have" in text
    assert "14 cases, 2 missing or refused." in text


def test_few_private_cases(tmp_path: Path) -> None:
    """A set too small for any number is a row of dashes."""
    results = public_document(score_of(CASES, phantom("phantom-public")))
    results["test_sets"] = {"phantom-private": public_results(score_of(CASES[:3], phantom("phantom-private")))}
    path = tmp_path / "comment.json"
    write_comment_data(results, declaration(), "my-method", path, {}, None)
    text = comment_markdown(read_comment_data(path))
    assert "&lt;5 cases, all scored." in text
    assert "| **Mean of Vertebrae** | **–** | **–** | **–** |" in text


def test_unreadable_references(tmp_path: Path) -> None:
    """Without aggregates the comment says whose fault that is, and blames no file of the participant."""
    results = public_document(score_of(CASES, official("public")))
    kept = ("title", "note", "n_cases", "expected_cases", "notes")
    broken = {name: results["test_sets"]["public"][name] for name in kept}
    failures = [{"case_id": "case0", "code": "E_TRUNCATED", "side": "reference", "message": "…"}]
    results["test_sets"]["public"] = {**broken, "complete": False, "failures": failures}
    path = tmp_path / "comment.json"
    write_comment_data(results, declaration(), "my-method", path, {}, REFERENCE)
    text = comment_markdown(read_comment_data(path))
    assert "for the organizers to repair" in text
    assert "E_TRUNCATED" not in text


def test_broken_results_write_nothing(tmp_path: Path) -> None:
    """Results out of range are refused when the data is written, not first when it is read."""
    results = public_document(score_of(CASES, official("public")))
    results["test_sets"]["public"]["mean_of_vertebrae"]["dsc"] = 7.0
    with pytest.raises(SubmissionError, match="E_RECORD"):
        write_comment_data(results, declaration(), "my-method", tmp_path / "comment.json", {}, None)
    assert list(tmp_path.iterdir()) == []


def markdown_of(document: dict[str, Any], folder: Path) -> str:
    """The comment from a comment.json with this content."""
    return comment_markdown(read_comment_data(written(document, folder)), COMMIT)


def test_the_whole_comment(tmp_path: Path) -> None:
    """A complete comment as it is posted, up to the explanation at its end."""
    text = markdown_of(SCORED, tmp_path)
    assert text.partition("<details>")[0] == (
        "<!-- ctspine-bench: my-method -->\n\n"
        "## Scores of `my-method`\n\n"
        "`My method` by `Spine group, Example University`, commit `0123456789abcdef0123456789abcdef01234567`\n\n"
        "- Paper: `https://example.org/paper`\n\n"
        "### CTSpine1K private test set\n\n"
        "198 cases, all scored. Vertebrae, to the nearest five: 2,350 matched, 60 missed, 12 spurious.\n\n"
        "| | DSC | HD95 mm | HD95 of matched mm |\n"
        "| --- | ---: | ---: | ---: |\n"
        "| **Mean of Vertebrae** | **0.902** | **6.31** | **5.02** |\n"
        "| Mean of Spine | 0.955 | 3.20 | 3.20 |\n"
        "| Mean over cases [95 % interval] | 0.915 [0.902, 0.927] |  |  |\n"
        "| nnU-Net as published | 0.840 |  | 6.41 |\n"
        "| Mean of Vertebrae less nnU-Net | +0.062 |  | −1.39 |\n\n"
        "Would be **rank 3 of 12**; ranks 2 to 5 are compatible with the data.\n\n"
    )
    check_tame(text)


def test_flags_are_shown(tmp_path: Path) -> None:
    """Everything that was declared and matters for a comparison stands at the top."""
    document = scored(
        uses_verse=True,
        uses_test_cases=True,
        coverage="partial",
        coverage_reason="No VerSe.",
        test_sets=[test_set(complete=False, rank=None, n_refused={"E_NAN": 2}, refused=[])],
    )
    text = markdown_of(document, tmp_path)
    for flag in ("**Partial**, so unranked: `No VerSe.`", "**Incomplete**", "**Learned from test cases**"):
        assert flag in text
    assert "**Trained on VerSe**" in text
    assert "Not ranked." in text
    check_tame(text)


def test_copied_predictions_are_shown(tmp_path: Path) -> None:
    """The comment says whose predictions these were before, up to a limit."""
    results = public_document(score_of(CASES, official("public")))
    results["submission"]["same_predictions_as"] = [f"method-{number}" for number in range(30)]
    path = tmp_path / "comment.json"
    write_comment_data(results, declaration(), "my-method", path, {}, None)
    data = read_comment_data(path)
    assert data.same_predictions_as == tuple(f"method-{number}" for number in range(20))
    assert "- **Same predictions** as `method-0`, `method-1`," in comment_markdown(data)
    check_tame(comment_markdown(data))


def test_refused_cases_are_listed_up_to_a_limit(tmp_path: Path) -> None:
    """The first twenty are named with their code and its meaning, the others counted, by code as well."""
    refused = [{"case_id": f"liver_{i}", "code": "E_SHAPE"} for i in range(20)]
    document = scored(test_sets=[test_set(complete=False, refused=refused, n_refused={"E_SHAPE": 30, "E_NAN": 1})])
    text = markdown_of(document, tmp_path)
    assert "counted as missed: 1 × `E_NAN`, 30 × `E_SHAPE`" in text
    assert f"- `liver_19`: `E_SHAPE`, {CODES['E_SHAPE']}\n- and 11 more\n" in text


def test_the_first_to_be_ranked(tmp_path: Path) -> None:
    """Alone on the board nobody is compared with anybody."""
    alone = {"rank": 1, "low": 1, "high": 1, "n_ranked": 1}
    assert "Would be **the first** to be ranked." in markdown_of(scored(test_sets=[test_set(rank=alone)]), tmp_path)


def test_a_sure_rank_and_no_published_numbers(tmp_path: Path) -> None:
    """A rank without alternatives says so; a phantom set has no published row; VerSe has its note."""
    sure = {"rank": 1, "low": 1, "high": 1, "n_ranked": 4}
    sets = [test_set(name="phantom-verse", rank=sure, published=None), test_set(name="verse")]
    text = markdown_of(scored(test_sets=sets), tmp_path)
    assert "Would be **rank 1 of 4**; no other rank is compatible with the data." in text
    assert text.count("| nnU-Net as published |") == 1
    assert text.count("0.766") == 1


def test_an_incomplete_set_is_not_compared_with_the_paper(tmp_path: Path) -> None:
    """The published numbers are over all cases: without all of ours there is no row, no difference, but a sentence."""
    text = markdown_of(scored(test_sets=[test_set(complete=False)]), tmp_path)
    assert "| nnU-Net as published |" not in text
    assert "less nnU-Net" not in text
    assert "Not compared with nnU-Net as published" in text
    assert "Not compared" not in markdown_of(scored(test_sets=[test_set(published=None, complete=False)]), tmp_path)


def test_the_rule_is_explained(tmp_path: Path) -> None:
    """Which cases a label counts in, what missed and spurious cost, and whose HD95 is comparable with the paper's."""
    words = " ".join(markdown_of(SCORED, tmp_path).partition("<details>")[2].split())
    assert "Each label counts in all cases that have it in the reference or in the prediction." in words
    assert "What is missed or spurious has DSC 0 and HD95 100 mm" in words
    assert "the paper's HD95 is that one" in words
    assert "inferred" not in words


def test_what_is_undefined_is_a_dash(tmp_path: Path) -> None:
    """Numbers that are not published leave a dash, also in the difference and the interval."""
    nothing = {"dsc": None, "hd95_mm": None}
    hidden = test_set(mean_of_vertebrae=nothing, per_case_dsc={"mean": 0.5, "low": None, "high": None}, vertebrae=None)
    text = markdown_of(scored(test_sets=[hidden]), tmp_path)
    assert "| **Mean of Vertebrae** | **–** | **–** | **–** |" in text
    assert "| Mean of Vertebrae less nnU-Net | – |  | – |" in text
    assert "| Mean over cases [95 % interval] | 0.500 |  |  |" in text


def test_problems_become_a_comment(tmp_path: Path) -> None:
    """What check-pr prints as JSON is set with every part of each problem."""
    text = markdown_of(REFUSED, tmp_path)
    assert text.startswith("<!-- ctspine-bench: refused -->\n\n## Not scored: `my-method`\n")
    assert (
        f"- **`E_FIELD`** in `submissions/my-method/submission.yaml: licence`: {CODES['E_FIELD']}\n"
        "  - expected: `a licence`\n  - found: `nothing`\n  - to do: `Add the field.`\n"
    ) in text
    check_tame(text)


def test_many_problems_are_counted(tmp_path: Path) -> None:
    """Twenty problems are listed, and how many more there are."""
    text = markdown_of({**REFUSED, "problems": [PROBLEM] * 53}, tmp_path)
    assert text.count("- expected:") == 20
    assert "- and 33 more\n" in text


def test_errors_of_fetching_and_scoring_become_a_comment(tmp_path: Path) -> None:
    """An error that was raised is written, read and set with all its parts."""
    error = SubmissionError("E_QUOTA", None, expected="a scoring left", found="none", advice="Wait\nuntil `May`.")
    write_refusal([error], tmp_path / "comment.json", slug="my-method", commit=COMMIT)
    data = read_comment_data(tmp_path / "comment.json")
    assert isinstance(data, RefusalData)
    text = comment_markdown(data, COMMIT)
    assert f"- **`E_QUOTA`**: {CODES['E_QUOTA']}\n" in text
    assert r"  - to do: `Wait\nuntil 'May'.`" in text


@pytest.mark.parametrize("document", [SCORED, REFUSED], ids=["scored", "refused"])
def test_the_command_writes_the_comment(
    document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`submission comment` prints the comment, or writes it to a file; a moved head is exit code 1."""
    path = written(document, tmp_path)

    call = partial(exit_code, monkeypatch, "submission", "comment")
    assert call(path) == 0
    printed = capsys.readouterr().out
    assert printed == comment_markdown(read_comment_data(path))
    assert call(path, "--head", COMMIT, "--output", tmp_path / "new" / "comment.md") == 0
    assert (tmp_path / "new" / "comment.md").read_text(encoding="utf-8") == printed
    capsys.readouterr()
    assert call(path, "--head", "f" * 40, "--output", tmp_path / "moved.md") == 1
    assert "E_MOVED" in capsys.readouterr().err
    assert not (tmp_path / "moved.md").exists()


def test_numbers_are_printed_with_true_signs(tmp_path: Path) -> None:
    """The difference is that of the printed numbers: 0.8405 against 0.840 is no difference."""
    means = {"dsc": 0.84049, "hd95_mm": 7.0, "hd95_matched_mm": 6.4}
    document = changed(SCORED, "test_sets.0.mean_of_vertebrae", means)
    assert "| Mean of Vertebrae less nnU-Net | +0.000 |  | −0.01 |" in markdown_of(document, tmp_path)


def test_a_page_of_ours_is_read_as_expected(tmp_path: Path) -> None:
    """The check for tame comments sees code, prose and cells apart."""
    page = Page(markdown_of(SCORED, tmp_path))
    assert "https://example.org/paper" in page.code
    assert "https" not in page.prose
    assert set(page.n_cells) == {4}
