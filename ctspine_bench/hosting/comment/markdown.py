"""The data of a comment → Markdown.

Whatever a participant wrote stands in a code span: there, GitHub makes no links, mentions, references, images or emoji
of it, and Markdown and HTML have no meaning. It stands in no table, whose cells a code span does not protect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ctspine_bench.aggregate import HD95_CAP_MM
from ctspine_bench.errors import CODES, SubmissionError
from ctspine_bench.hosting.comment.data import MAX_LISTED, CommentData, RefusalData
from ctspine_bench.published import VERSE_REANNOTATED_DSC
from ctspine_bench.rankings.coverage import measured_in_words
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.testsets import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctspine_bench.hosting.comment.data import Problem, Rank, Scores, ShareInterval, TestSetComment

MARKER: Final = "<!-- ctspine-bench: "
"""How every comment begins; the workflow finds the one to edit by it."""

_DASH: Final = "–"

_HOW_TO_READ: Final = f"""\
<details>
<summary>How to read this</summary>

- **Mean of Vertebrae** is the plain mean of the means of C1 to L6. Each label counts in all cases that have it in the
  reference or in the prediction. What is missed or spurious has DSC 0 and HD95 {HD95_CAP_MM:.0f} mm, and HD95 is capped
  there. **Mean of Spine** takes all vertebrae of a case as one mask.
- **HD95 of matched** is over what is in both alone, without a cap. It is shown because the paper's HD95 is that one: by
  itself, it rewards finding less.
- **Mean over cases** first takes the mean over the vertebrae of each case. The interval says how much it may owe to
  these cases.
- **nnU-Net as published** has its DSC by the same rule, and its HD95 of matched alone. It stands there when all cases
  were scored, its HD95 when all 25 labels are known to be matched.
- **Ranks** go by Mean of Vertebrae DSC, ties by HD95, among the complete submissions scored so far. The official
  ranking is that of the private test set. Which ranks are compatible with the data is said jointly for all
  submissions, at 95 % confidence: other cases would have given another order.
- Of the private test set, numbers are rounded, counts of vertebrae to fives, and those that are about few cases are
  left out.

</details>"""


def comment_markdown(data: CommentData | RefusalData, head: str | None = None) -> str:
    """Return the comment for a pull request.

    Args:
        data: What `read_comment_data` returned.
        head: The commit that the pull request is at now; `None` to leave that unchecked.

    Raises:
        SubmissionError: E_MOVED, the data is about another commit than `head`.
    """
    checked = data.commit if isinstance(data, CommentData) else data.head
    if head is not None and head != checked:
        raise SubmissionError(
            "E_MOVED",
            "pull request",
            expected=f"the head {checked or 'that was checked'}",
            found=shown(head),
            advice="Set the label again to have the new head scored.",
        )
    parts = _scored(data) if isinstance(data, CommentData) else _refused(data)
    return "\n\n".join(parts) + "\n"


def code(text: str) -> str:
    """Return a text of one line as a Markdown code span, whatever it holds: a backtick, which would end it, as '."""
    return f"`{text.replace('`', chr(39))}`"


def _scored(data: CommentData) -> Iterator[str]:
    yield f"{MARKER}{data.slug} -->"
    yield f"## Scores of {code(data.slug)}"
    yield f"{code(data.name)} by {code(data.team)}{_commit(data.commit)}"
    if flags := list(_flags(data)):
        yield "\n".join(f"- {flag}" for flag in flags)
    for test_set in data.test_sets:
        yield from _test_set(test_set)
    yield _HOW_TO_READ


def _commit(commit: str | None) -> str:
    return f", commit {code(commit)}" if commit else ""


def _flags(data: CommentData) -> Iterator[str]:
    if data.same_predictions_as:
        others = ", ".join(code(slug) for slug in data.same_predictions_as)
        yield f"**Same predictions** as {others}, scored before on the private test set."
    if data.coverage == "partial":
        yield f"**Partial**, so unranked: {code(data.coverage_reason or 'no reason given')}"
    if any(not test_set.complete for test_set in data.test_sets):
        yield "**Incomplete**: not every case could be scored; see below."
    if data.uses_test_cases:
        yield "**Learned from test cases**, as declared: not comparable with submissions that did not."
    if data.uses_verse:
        yield "**Trained on VerSe**, as declared: the VerSe test set does not show its domain gap."
    for name, link in (("Paper", data.paper), ("Code", data.code)):
        if link:
            yield f"{name}: {code(link)}"


def _test_set(data: TestSetComment) -> Iterator[str]:
    yield f"### {named(data.name).title}"
    yield _cases(data)
    if not data.aggregated:
        yield "There are no means: a reference could not be read, which is for the organizers to repair."
    else:
        yield _table(data)
        yield _rank(data.rank)
    if data.published and not data.complete:
        yield "Not compared with nnU-Net as published, whose numbers are over all cases."
    if data.name == "verse" and data.published:
        yield (
            f"On VerSe, the authors later report a mean DSC of {VERSE_REANNOTATED_DSC:.3f} for nnU-Net, after "
            "annotating partly visible vertebrae in the 41 cases."
        )
    if _n_refused(data):
        yield _refused_cases(data)


def _cases(data: TestSetComment) -> str:
    """Say how many cases and vertebrae there were."""
    n_refused = _n_refused(data)
    of_all = "" if data.expected_cases in {None, data.n_cases} else f" of {data.expected_cases:,}"
    outcome = f"{n_refused:,} missing or refused" if n_refused else "all scored"
    sentences = [f"{_count(data.n_cases)}{of_all} cases, {outcome}."]
    if data.vertebrae:
        counts = [f"{_count(count)} {status}" for status, count in data.vertebrae if count is not None]
        how = ", to the nearest five" if named(data.name).private else ""
        sentences += [f"Vertebrae{how}: {', '.join(counts)}."] if counts else []
    return " ".join(sentences)


def _n_refused(data: TestSetComment) -> int:
    return sum(data.n_refused.values()) + data.n_unnamed


def _count(count: int | str | None) -> str:
    if count is None:
        return _DASH
    return f"{count:,}" if isinstance(count, int) else count.replace("<", "&lt;")


def _table(data: TestSetComment) -> str:
    rows = [
        ("**Mean of Vertebrae**", *(f"**{cell}**" for cell in _cells(data.mean_of_vertebrae))),
        ("Mean of Spine", *_cells(data.mean_of_spine)),
        (f"Mean over cases [95 % interval{_measured(data)}]", _interval(data.per_case_dsc), "", ""),
    ]
    if data.published and data.complete:
        ours, paper = data.mean_of_vertebrae, data.published
        rows += [
            ("nnU-Net as published", _number(paper.dsc, 3), "", _number(paper.hd95_matched_mm, 2)),
            (
                "Mean of Vertebrae less nnU-Net",
                _difference(ours.dsc, paper.dsc, 3),
                "",
                _difference(ours.hd95_matched_mm, paper.hd95_matched_mm, 2),
            ),
        ]
    head = ("| | DSC | HD95 mm | HD95 of matched mm |", "| --- | ---: | ---: | ---: |")
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)])


def _rank(rank: Rank | None) -> str:
    if rank is None:
        return "Not ranked."
    if rank.n_ranked == 1:
        return "Would be **the first** to be ranked."
    where = f"Would be **rank {rank.rank} of {rank.n_ranked}**"
    if rank.low == rank.high:
        return f"{where}; no other rank is compatible with the data."
    return f"{where}; ranks {rank.low} to {rank.high} are compatible with the data."


def _refused_cases(data: TestSetComment) -> str:
    counts = ", ".join(f"{n:,} × {code(each)}" for each, n in sorted(data.n_refused.items()))
    lines = [f"- {code(each.case_id)}: {code(each.code)}, {CODES[each.code]}" for each in data.refused]
    lines += _more(sum(data.n_refused.values()) - len(lines))
    if data.n_unnamed:
        lines.append(f"- {data.n_unnamed:,} private cases that the archive does not have")
    return "\n".join([f"Missing or refused, and so counted as missed: {counts}".rstrip(": "), "", *lines])


def _more(n: int) -> list[str]:
    return [f"- and {n:,} more"] if n > 0 else []


def _refused(data: RefusalData) -> Iterator[str]:
    # A name that was refused itself stands in the problems, and not in the hidden line.
    yield f"{MARKER}refused -->"
    yield f"## Not scored: {', '.join(map(code, data.slugs[:3])) or 'this pull request'}"
    yield f"What stands in the way{_commit(data.head)}:"
    lines = [line for problem in data.problems[:MAX_LISTED] for line in _problem(problem)]
    yield "\n".join([*lines, *_more(len(data.problems) - MAX_LISTED)])
    yield "`ctspine-bench submission validate` checks the same beforehand. After a push, the label has to be set again."


def _problem(problem: Problem) -> Iterator[str]:
    where = f" in {code(problem.path)}" if problem.path else ""
    yield f"- **{code(problem.code)}**{where}: {CODES[problem.code]}"
    yield f"  - expected: {code(problem.expected)}"
    yield f"  - found: {code(problem.found)}"
    yield f"  - to do: {code(problem.advice)}"


def _number(value: float | None, digits: int) -> str:
    return _DASH if value is None else f"{value:.{digits}f}"


def _cells(scores: Scores) -> tuple[str, str, str]:
    return _number(scores.dsc, 3), _number(scores.hd95_mm, 2), _number(scores.hd95_matched_mm, 2)


def _measured(data: TestSetComment) -> str:
    return measured_in_words(data.n_cases, "per_case") if isinstance(data.n_cases, int) else ""


def _interval(estimate: ShareInterval) -> str:
    mean = _number(estimate.mean, 3)
    if estimate.low is None or estimate.high is None:
        return mean
    return f"{mean} [{_number(estimate.low, 3)}, {_number(estimate.high, 3)}]"


def _difference(ours: float | None, paper: float | None, digits: int) -> str:
    """Return the signed difference of two numbers as they are printed, with a true minus sign."""
    if ours is None or paper is None:
        return _DASH
    return f"{round(ours, digits) - round(paper, digits):+.{digits}f}".replace("-", "−")
