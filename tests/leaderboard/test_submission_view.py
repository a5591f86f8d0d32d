"""What is shown of one submission: what was declared, its numbers, what goes wrong, and how to cite it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from board_records import board_of, change_results, write_record_of
from case_results import case, mask, spurious
from declarations import archive, fields, text_of

from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.board import Board, Entry
from ctspine_bench.board.cache import Cache
from ctspine_bench.board.private import private_standings
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.published import published_table
from ctspine_bench.rankings.coverage import measured_coverage
from ctspine_leaderboard.facts import digest, inside, outside
from ctspine_leaderboard.views.case_tables import case_table
from ctspine_leaderboard.views.counts import n_of
from ctspine_leaderboard.views.submission import (
    about,
    beside_means,
    beside_paper,
    cases,
    cite,
    errors,
    paper_table,
    places,
    provenance,
    sources,
    variants,
)

PUBLIC, PRIVATE = "phantom-public", "phantom-private"
ROOT = Path(__file__).parents[2]


def declared(tmp_path: Path, **changes: Any) -> Entry:
    """A submission that waits for its scores, with these fields in its declaration."""
    folder = tmp_path / "submissions" / "spine-net"
    folder.mkdir(parents=True)
    (folder / "submission.yaml").write_bytes(text_of(fields(**changes)))
    found = board_of(tmp_path).entry("spine-net")
    assert found is not None
    assert found.problem is None
    return found


def entry_of(board: Board, slug: str) -> Entry:
    found = board.entry(slug)
    assert found is not None
    return found


def real() -> Entry:
    """The row of the paper in the real board."""
    return entry_of(Board(ROOT / "submissions", cache=Cache(None)), "nnunet-paper")


def vertebrae(folder: Path, slug: str, test_set: str = PUBLIC) -> pd.DataFrame:
    """The vertebrae of a record, from the file."""
    rows = pd.read_parquet(folder / "submissions" / slug / "cases.parquet")
    return rows[(rows["test_set"] == test_set) & (rows["row"] == "vertebra")]


def test_everything_that_was_declared_is_shown(tmp_path: Path) -> None:
    """Team, method, data, flags, coverage with its reason, links and archives with digest and size."""
    entry = declared(
        tmp_path,
        paper="https://example.org/paper?a=1&b=2",
        code="https://example.org/code",
        training={"data": ["One set", "Another set"], "uses_verse": True, "uses_test_cases": False, "comment": "Slow."},
        coverage="partial",
        coverage_reason="The private set was too large.",
        test_sets={"public": archive("public", size=1_234_567_890)},
    )
    facts = str(about.about_facts(entry))
    for text in (
        "Spine Group", "2026-11-20", "A network with two stages.", "One set<br>Another set", "Slow.", "CC-BY-4.0",
        "Partial, as declared: The private set was too large.", "spine@example.org", "1.23 GB", "Archive, Public",
    ):  # fmt: skip
        assert text in facts
    assert 'Learned from VerSe</th><td class="cb-left cb-wide">Yes' in facts
    assert 'Learned from test cases</th><td class="cb-left cb-wide">No' in facts
    assert '<a href="https://example.org/paper?a=1&amp;b=2" rel="noopener nofollow">' in facts
    assert '<a href="https://zenodo.org/records/1/files/public.tar" rel="noopener nofollow">public.tar</a>' in facts
    assert archive("public")["sha256"] in facts.replace("<wbr>", "")


def test_every_link_to_other_sites_is_https_and_followed_by_nobody(tmp_path: Path) -> None:
    """Without an address there is no link, an e-mail address is text, and so would be any other scheme."""
    facts = str(about.about_facts(declared(tmp_path)))
    assert facts.count("<a ") == facts.count('rel="noopener nofollow"') == 3, "the archives alone"
    assert facts.count("https://") == facts.count('href="https://') == 3
    assert outside(None) == ""
    assert "<a" not in outside("javascript:alert(1)")
    assert "<a" not in outside("http://example.org")
    assert outside('https://example.org/"><b>') == (
        '<a href="https://example.org/&#34;&gt;&lt;b&gt;" rel="noopener nofollow">https://example.org/&#34;&gt;&lt;b&gt;</a>'
    )
    assert inside("submission?id=a&set=b", "<b>") == '<a href="submission?id=a&amp;set=b" target="_self">&lt;b&gt;</a>'


@pytest.mark.parametrize(
    ("size", "shown"), [(1, "1 bytes"), (999, "999 bytes"), (1000, "1.00 kB"), (20 * 2**30, "21.47 GB")]
)
def test_sizes_are_in_units_of_a_thousand(tmp_path: Path, size: int, shown: str) -> None:
    """As file managers and archives of data show them."""
    partial = {"coverage": "partial", "coverage_reason": "It is a test."}
    entry = declared(tmp_path, test_sets={"public": archive("public", size=size)}, **partial)
    assert f"<br>{shown}<br>" in str(about.about_facts(entry))


def test_a_digest_is_copied_in_one() -> None:
    """It may be broken between its pieces, and holds no character more."""
    value = "0123456789abcdef" * 4
    assert digest(value).replace("<wbr>", "") == f"<code>{value}</code>"
    assert digest("") == ""


def test_places_are_those_of_the_standings(made_board: Board, made_folder: Path) -> None:
    """Rank, interval and means are those of the standings; counts are counted in the record."""
    for slug in ("alpha", "gamma"):
        found = {place.test_set.name: place for place in places.places(made_board, entry_of(made_board, slug))}
        assert list(found) == [PUBLIC, PRIVATE, "phantom-verse"]
        official = made_board.standings(PUBLIC).standings
        assert official is not None
        (row,) = [row for row in official.rows if row.slug == slug]
        place = found[PUBLIC]
        assert place.standing == row
        assert place.n_ranked == 4
        rows = vertebrae(made_folder, slug)
        assert place.means["dsc"].value == pytest.approx(rows.groupby("vertebra")["dsc"].mean().mean(), abs=1e-12)
        per_case = rows.groupby("case_id")["dsc"].mean().mean()
        assert place.per_case == (pytest.approx(per_case, abs=1e-12), row.per_case_rank)
        assert place.counts["missed"] == (rows["status"] == "missed").sum()
        assert place.counts["spurious"] == (rows["status"] == "spurious").sum()
        assert place.reason == ""
        table = places.place_table(tuple(found.values()))
        assert f"{row.rank} of 4" in table
        assert 'href="standings?set=phantom-public"' in table


def test_a_private_set_is_ranked_by_the_organizers_file(made_board: Board, made_folder: Path) -> None:
    """Without it there is the published mean and the reason; with it the rank and the interval."""
    without = places.places(made_board, entry_of(made_board, "beta"))[1]
    assert without.standing is None
    assert "standings of this test set are not at hand" in without.reason
    results = json.loads((made_folder / "submissions" / "beta" / "results.json").read_text())
    assert without.means["dsc"].value == results["test_sets"][PRIVATE]["mean_of_vertebrae"]["dsc"]
    ranked = made_board.with_private(private_standings(made_board, PrivateStore(made_folder / "private-store")))
    place = places.places(ranked, entry_of(ranked, "beta"))[1]
    assert place.standing is not None
    assert (place.standing.rank, place.n_ranked, place.reason) == (2, 4, "")
    data = places.place_data((place,)).iloc[0]
    assert (data["rank"], data["n_ranked"], data["dsc"]) == (2, 4, place.means["dsc"].value)


def test_the_latex_table_is_that_of_the_paper() -> None:
    """The numbers of nnU-Net as published come out as Table 2 prints them, two blocks side by side."""
    table = paper_table.paper_table(real())
    assert table is not None
    lines = table.latex().splitlines()
    for line in (
        r"Label & Test\_public & Test\_private & Test\_VerSe & Label & Test\_public & Test\_private & Test\_VerSe \\",
        r"& DSC/HD95 & DSC/HD95 & DSC/HD95 &  & DSC/HD95 & DSC/HD95 & DSC/HD95 \\",
        r"C1 & .951/1.55 & .957/1.34 & .446/1.69 & T7 & .881/4.43 & .764/5.98 & .400/8.67 \\",
        r"C5 & .573/2.43 & .726/3.13 & .231/0.95 & T11 & .959/1.49 & .961/1.81 & .887/3.36 \\",
        r"T5 & .681/6.67 & .830/4.90 & .614/9.05 & L6 & 0/66.21 & 0/80.33 & 0/45.16 \\",
        r"T6 & .814/5.20 & .762/5.99 & .483/9.21 &  &  &  &  \\",
        r"Mean of Vertebrae & .869/5.40 & .840/6.41 & .619/6.23 & Mean of Spine & .985/1.00 & .984/1.00 & .929/3.08 \\",
    ):
        assert line in lines
    assert r"\begin{tabular}{lccclccc}" in lines
    assert sum(line.endswith(r"\\") for line in lines) == 2 + 13 + 1


def test_the_table_for_people_has_every_label_with_its_n(made_board: Board, made_folder: Path) -> None:
    """DSC and HD95 are the means over the rows of the record, beside in how many cases the label is."""
    entry = entry_of(made_board, "gamma")
    table = paper_table.paper_table(entry)
    assert table is not None
    data = table.data()
    data = data[data["test_set"] == PUBLIC].set_index("row")
    rows = vertebrae(made_folder, "gamma")
    rows = rows.assign(hd95_mm=rows["hd95_mm"].fillna(100.0).clip(upper=100.0))
    means = rows.groupby("vertebra")[["dsc", "hd95_mm", "nsd_2mm"]].mean()
    assert data.loc[means.index, ["dsc", "hd95_mm", "nsd_2mm"]].to_numpy(float) == pytest.approx(means.to_numpy(float))
    assert data.loc[means.index, "n"].to_list() == rows.groupby("vertebra").size().loc[means.index].to_list()
    assert data.loc["mean_of_vertebrae", "dsc"] == pytest.approx(means["dsc"].mean())
    markup = table.table()
    assert f"{means.loc['L3', 'dsc']:.3f} / {means.loc['L3', 'hd95_mm']:.2f}" in markup
    assert [name in markup for name in VERTEBRAE] == [True] * 25
    for words in ("Mean of Vertebrae", "without L6", "Mean of Spine"):
        assert words in markup


def test_what_is_held_back_is_a_dash_and_its_count_is_few(made_board: Board) -> None:
    """Cells under five cases of a private set have no mean, "<5" or nothing as n, and dashes in LaTeX."""
    table = paper_table.paper_table(entry_of(made_board, "beta"))
    assert table is not None
    held_back = [name for name in VERTEBRAE if n_of(table.rows[name][PRIVATE]) == "<5"]
    assert held_back
    assert all(table.rows[name][PRIVATE]["dsc"] is None for name in held_back)
    assert "&lt;5" in table.table()
    (line,) = [line for line in table.latex().splitlines() if f"{held_back[-1]} & " in line]
    assert " & -- & " in line


def test_hostile_text_is_text_in_latex_and_in_bibtex(tmp_path: Path) -> None:
    """What LaTeX would take for a command is escaped; the schema lets no braces or backslashes through."""
    entry = declared(tmp_path, name="50 % of A_B & C #1 $x^2 ~", team="A & B")
    bibtex = cite.submission_bibtex(entry)
    assert bibtex is not None
    assert r"{{50 \% of A\_B \& C \#1 \$x\textasciicircum{}2 \textasciitilde{}}}" in bibtex
    assert r"{{A \& B}}" in bibtex


def on_public_set(made_folder: Path, folder: Path, change: Any = None, slug: str = "gamma") -> Entry:
    """A submission whose scores are called those of the official public test set, with a change to them."""
    shutil.copytree(made_folder / "submissions" / slug, folder / "submissions" / slug)

    def renamed(results: dict[str, Any]) -> None:
        results["test_sets"]["public"] = results["test_sets"].pop(PUBLIC)
        if change:
            change(results["test_sets"]["public"])

    change_results(folder / "submissions" / slug, renamed)
    return entry_of(board_of(folder), slug)


def test_headings_say_whose_rule_it_is(made_board: Board) -> None:
    """The official table, its variants, and what a paper has printed each say by whose rule they are."""
    entry = entry_of(made_board, "gamma")
    headings = [paper_table.paper_table(entry, variant).heading for variant in variants.there(entry, (PUBLIC,))]
    assert headings[0] == "The paper's layout, this benchmark's rule"
    assert all(heading.startswith("Variant of this benchmark's rule: ") for heading in headings[1:])
    assert len(set(headings)) == 6
    published = paper_table.paper_table(real())
    assert published is not None
    assert published.heading == "The paper's layout, the paper's numbers"
    (note,) = published.notes()
    assert "Its HD95 is over matched vertebrae alone" in note
    assert variants.there(real(), ("public",)) == ("official",)


def test_variants_are_those_of_the_rows(made_board: Board, made_folder: Path) -> None:
    """Worked out here from the rows: HD95 of matched, complete and cut vertebrae, border forgiven, without L6."""
    entry = entry_of(made_board, "gamma")
    rows = vertebrae(made_folder, "gamma")
    spurious = rows["status"] == "spurious"
    at_end = rows["cut"].where(~spurious, rows["at_border"]).astype(bool)
    # No vertebra of the made board is a sliver.
    of_variant = {
        "border-forgiven": rows[~(spurious & at_end)],
        "complete": rows[~at_end],
        "cut": rows[at_end],
        "without-l6": rows[rows["vertebra"] != "L6"],
    }
    for variant, some in of_variant.items():
        means = some.groupby("vertebra")["dsc"].agg(["mean", "size"])
        table = paper_table.paper_table(entry, variant)
        assert table is not None
        data = table.data().query("test_set == @PUBLIC").set_index("row")
        assert data.loc[means.index, "dsc"].to_list() == pytest.approx(means["mean"].to_list(), abs=1e-12)
        assert data.loc[means.index, "n"].to_list() == means["size"].to_list()
        assert data.loc["mean_of_vertebrae", "dsc"] == pytest.approx(means["mean"].mean(), abs=1e-12)
    assert "L6" not in data.index
    matched = rows["hd95_mm"].groupby(rows["vertebra"]).agg(["mean", "count"]).dropna()
    table = paper_table.paper_table(entry, "hd95-matched")
    assert table is not None
    data = table.data().query("test_set == @PUBLIC").set_index("row")
    assert data.loc[matched.index, "hd95_mm"].to_list() == pytest.approx(matched["mean"].to_list(), abs=1e-12)
    assert data.loc[matched.index, "n_matched"].to_list() == matched["count"].to_list()
    assert data.loc["mean_of_vertebrae", "hd95_mm"] == pytest.approx(matched["mean"].mean(), abs=1e-12)
    name = "L1"
    n = (rows["vertebra"] == name).sum()
    assert f">{n} / {matched.loc[name, 'count']}<" in table.table()


def test_all_variants_are_in_one_table(made_board: Board) -> None:
    """Mean of Vertebrae in each of them, dashes where a private set tells nothing; all numbers in the files."""
    entry = entry_of(made_board, "gamma")
    sets = paper_table.test_sets_of(entry)
    assert sets == (PUBLIC, PRIVATE, "phantom-verse")
    markup = variants.summary_table(entry, sets)
    for words in (
        "By the official rule", "HD95 of matched vertebrae", "Complete vertebrae only", "Without L6",
        "Spurious vertebrae at the border of the field of view forgiven", "Only vertebrae that the field of view cuts",
    ):  # fmt: skip
        assert f">{words}<" in markup
    data = variants.data(entry, sets)
    assert set(data["variant"]) == {"hd95-matched", "border-forgiven", "complete", "cut", "without-l6"}
    private = data[(data["test_set"] == PRIVATE) & data["variant"].isin(["border-forgiven", "complete", "cut"])]
    assert private[["dsc", "hd95_mm"]].isna().all(axis=None)


def test_labels_that_no_reference_has_are_marked(made_folder: Path, tmp_path: Path) -> None:
    """With the cases in which they arise; in LaTeX as well; of a private set no case is known."""
    store = PrivateStore(tmp_path / "private-store")
    cases = [
        case("one", mask("L1", 0.9, 1.0), spurious("C1"), mask("spine", 0.9, 1.0), source="COLONOG"),
        *(case(f"case-{i}", mask("L1", 0.9, 1.0), mask("spine", 0.9, 1.0), source="COLONOG") for i in range(11)),
    ]
    write_record_of(tmp_path, "stray", {PUBLIC: cases}, store)
    table = paper_table.paper_table(entry_of(board_of(tmp_path), "stray"))
    assert table is not None
    assert table.marked[PUBLIC] == {"C1": ("one",)}
    assert ">1†<" in table.table()
    assert "† No reference of the test set has it, only the prediction does: Public C1 in one." in table.notes()
    (line,) = [line for line in table.latex().splitlines() if line.startswith("C1 & ")]
    assert line.startswith(r"C1 & 0/100.00$^\dagger$ &")
    data = table.data().set_index("row")
    assert data["no_reference_has_it"].to_dict() == {name: name == "C1" for name in data.index}
    assert data.loc["mean_of_vertebrae", "dsc"] == pytest.approx(0.45)
    assert dict(paper_table.paper_table(entry_of(board_of(made_folder), "alpha")).marked) == {
        PUBLIC: {},
        PRIVATE: {},
        "phantom-verse": {},
    }


def test_a_complete_set_of_the_paper_stands_beside_it(made_folder: Path, tmp_path: Path) -> None:
    """DSC by the official rule, HD95 of matched; a difference of labels in both, none of means over fewer labels."""
    entry = on_public_set(made_folder, tmp_path)
    found = beside_paper.beside_paper(entry, "public")
    assert found is not None
    rows = vertebrae(made_folder, "gamma")
    dsc, hd95 = (rows.groupby("vertebra")[column].mean() for column in ("dsc", "hd95_mm"))
    paper = published_table("public")
    assert paper is not None
    data = found.data().set_index("row")
    for name in dsc.index:
        assert data.loc[name, "dsc"] == pytest.approx(dsc[name], abs=1e-12)
        expected = round(dsc[name], 3) - paper.labels[name].dsc
        assert data.loc[name, "difference_dsc"] == pytest.approx(expected, abs=1e-9)
        assert data.loc[name, "paper_hd95_mm"] == paper.labels[name].hd95_mm
    for name in hd95.dropna().index:
        assert data.loc[name, "hd95_matched_mm"] == pytest.approx(hd95[name], abs=1e-12)
        expected = round(hd95[name], 2) - paper.labels[name].hd95_mm
        assert data.loc[name, "difference_hd95_mm"] == pytest.approx(expected, abs=1e-9)
    means = data.loc["mean_of_vertebrae"]
    assert (means["n"], means["paper_dsc"], means["paper_hd95_mm"]) == (24, 0.869, 5.40)
    assert means[["difference_dsc", "difference_hd95_mm"]].isna().all()
    assert "DSC is over 24 of 25 labels" in found.notes()[1]
    assert data.loc["mean_of_vertebrae_without_l6", ["difference_dsc"]].isna().all()
    assert pd.notna(data.loc["mean_of_spine", "difference_dsc"])
    assert "pooled" not in found.table()
    assert "HD95 of matched (mm)" in found.paper_table()


def test_with_all_labels_the_mean_has_its_difference(made_folder: Path, tmp_path: Path) -> None:
    """Over the same 25 labels as the paper's, the means can be compared; a pooled HD95 stands beside where it is."""

    def change(results: dict[str, Any]) -> None:
        results["mean_of_vertebrae"].update(n=25, n_matched=25, dsc=0.8, hd95_matched_mm=6.0)
        results["labels"]["L1"]["hd95_pooled_matched_mm"] = 7.25

    found = beside_paper.beside_paper(on_public_set(made_folder, tmp_path, change), "public")
    assert found is not None
    means = found.rows["mean_of_vertebrae"]
    assert (means["difference_dsc"], means["difference_hd95_mm"]) == pytest.approx((-0.069, 0.6))
    assert len(found.notes()) == 1
    assert ">−0.069<" in found.table()
    assert ">7.25<" in found.table()


def test_what_is_not_complete_or_not_of_the_paper_is_not_compared(
    made_board: Board, made_folder: Path, tmp_path: Path
) -> None:
    """A sentence says why of an incomplete set; of a phantom and of the paper itself there is nothing to say."""
    entry = on_public_set(made_folder, tmp_path, lambda results: results.update(complete=False))
    assert beside_paper.beside_paper(entry, "public") is None
    assert beside_paper.no_comparison(entry, "public").startswith("No comparison with the paper: not every case")
    gamma = entry_of(made_board, "gamma")
    for each, test_set in ((gamma, PUBLIC), (gamma, "public"), (real(), "public")):
        assert beside_paper.beside_paper(each, test_set) is None
        assert beside_paper.no_comparison(each, test_set) == ""


def test_other_means_stand_beside_mean_of_vertebrae(made_board: Board, made_folder: Path) -> None:
    """Per-case mean with its rank, mean over all vertebrae, both with intervals, and what these cover at 24 cases."""
    entry = entry_of(made_board, "gamma")
    facts = str(beside_means.mean_facts(made_board, entry, PUBLIC))
    rows = vertebrae(made_folder, "gamma")
    recorded = entry.on(PUBLIC)
    per_case, over_all = rows.groupby("case_id")["dsc"].mean().mean(), rows["dsc"].mean()
    for mean, key in ((per_case, "per_case"), (over_all, "over_vertebrae")):
        low, high = (recorded[key]["dsc"][end] for end in ("low", "high"))
        assert f">{mean:.3f} [{low:.3f}, {high:.3f}]" in facts
    of_cases = [
        vertebrae(made_folder, slug).groupby("case_id")["dsc"].mean().mean() for slug in ("alpha", "beta", "delta")
    ]
    assert f", rank {1 + sum(other > per_case for other in of_cases)} of 4 by it" in facts
    for of, words in (("per_case", "the per-case mean"), ("mean_over_vertebrae", "the mean over all vertebrae")):
        share = measured_coverage(24, of)
        said = f"With 24 cases, 95 % intervals of {words} are too "
        assert any(text.startswith(said) for text in beside_means.coverage(entry, PUBLIC)) == (share is not None)
    assert beside_means.mean_facts(made_board, real(), "public") is None


def test_sources_are_compared_on_the_labels_that_they_share(made_board: Board, made_folder: Path) -> None:
    """Each on all its labels, and two at a time on those of both references; of a private set neither is told."""
    entry = entry_of(made_board, "gamma")
    data = sources.source_data(entry, PUBLIC)
    rows = vertebrae(made_folder, "gamma")
    for source, of_source in rows.groupby("source"):
        (alone,) = data[(data["source"] == source) & data["beside"].isna()].itertuples()
        assert alone.dsc == pytest.approx(of_source.groupby("vertebra")["dsc"].mean().mean(), abs=1e-12)
    of_pairs = data[data["beside"].notna()]
    assert len(of_pairs) == 2 * len(entry.on(PUBLIC)["shared_labels"]) > 0
    in_reference = {
        source: set(some["vertebra"]) for source, some in rows[rows["status"] != "spurious"].groupby("source")
    }
    for pair in of_pairs.itertuples():
        shared = in_reference[pair.source] & in_reference[pair.beside]
        some = rows[(rows["source"] == pair.source) & rows["vertebra"].isin(shared)]
        assert pair.dsc == pytest.approx(some.groupby("vertebra")["dsc"].mean().mean(), abs=1e-12)
    assert sources.shared_table(entry, PUBLIC) is not None
    assert sources.shared_table(entry, PRIVATE) is None
    assert sources.source_table(entry, "phantom-verse") is None, "it has one source"
    assert "<script>" not in str(sources.source_table(entry, PUBLIC))


def test_errors_are_those_of_the_record(made_board: Board, made_folder: Path) -> None:
    """Counts, names, shifts and losses are told in words, with the numbers of the rows."""
    entry = entry_of(made_board, "gamma")
    facts = str(errors.error_facts(entry, PUBLIC))
    rows = vertebrae(made_folder, "gamma")
    counts = rows["status"].value_counts()
    assert f'Vertebrae found</th><td class="cb-left cb-wide">{counts["matched"]}<' in facts
    assert f'Spurious vertebrae</th><td class="cb-left cb-wide">{counts["spurious"]}' in facts
    names = ["loss_identification", "loss_missed", "loss_boundary", "loss_spurious"]
    loss = rows.groupby("case_id")[names].mean().mean()
    told = f"{loss.sum():.3f} of 1: wrong names {loss.iloc[0]:.3f}, missed {loss.iloc[1]:.3f}"
    assert f"{told}, outlines {loss.iloc[2]:.3f}, spurious {loss.iloc[3]:.3f}<" in facts
    assert loss.iloc[3] > 0


def test_both_rates_of_right_names_stand_beside_levels_right(made_board: Board, made_folder: Path) -> None:
    """Ours is a mean over cases, VerSe's is over all vertebrae; how many cases have every level right is beside."""
    facts = str(errors.error_facts(entry_of(made_board, "gamma"), PUBLIC))
    rows = pd.read_parquet(made_folder / "submissions" / "gamma" / "cases.parquet")
    of_cases = rows[(rows["test_set"] == PUBLIC) & (rows["row"] == "case")]
    ours = of_cases["identification_rate"].mean()
    verse = of_cases["n_verse_hits"].sum() / of_cases["n_reference"].sum()
    assert f">{100 * ours:.1f} % of the vertebrae of a case" in facts
    assert f">{100 * verse:.1f} % of all vertebrae" in facts
    assert f'every level right</th><td class="cb-left cb-wide">{100 * of_cases["levels_right"].mean():.0f} %<' in facts
    assert ours != pytest.approx(verse, abs=1e-3)


def test_label_shifts_are_told_in_words(made_board: Board, made_folder: Path, tmp_path: Path) -> None:
    """One level and several, to both sides; shifts that no case has are left out."""
    shutil.copytree(made_folder / "submissions" / "beta", tmp_path / "submissions" / "beta")
    shifts = {"-2": 3, "-1": 1, "0": 15, "+1": 0, "+3": 2, "none": 1}
    change_results(
        tmp_path / "submissions" / "beta",
        lambda results: results["test_sets"][PUBLIC]["identification"].update(label_shifts=shifts),
    )
    facts = str(errors.error_facts(entry_of(board_of(tmp_path), "beta"), PUBLIC))
    assert "−2 levels in 3, −1 level in 1, no shift in 15, +3 levels in 2, no overlap in 1" in facts


def test_published_results_have_no_errors_to_show() -> None:
    """Of them only means are known."""
    assert errors.error_facts(real(), "public") is None


def test_the_worst_cases_are_those_with_the_lowest_mean(made_board: Board, made_folder: Path) -> None:
    """Ten at most, worst first, with their means and with what happened; each leads to its pictures."""
    entry = entry_of(made_board, "delta")
    rows = case_table(made_board, entry, PUBLIC)
    assert rows is not None
    worst = cases.worst_cases(rows)
    reference = vertebrae(made_folder, "delta")
    means = reference.groupby("case_id")["dsc"].mean().sort_values(kind="stable")
    assert [case.case_id for case in worst] == list(means.index[:10])
    assert [case.dsc for case in worst] == pytest.approx(means.to_list()[:10])
    first = worst[0]
    of_first = reference[reference["case_id"] == first.case_id]
    hd95_mm = of_first["hd95_mm"].fillna(100.0).clip(upper=100.0)
    assert first.hd95_mm == pytest.approx(hd95_mm.mean())
    assert first.source == of_first["source"].iloc[0]
    missed = of_first.loc[of_first["status"] == "missed", "vertebra"].to_list()
    told = "; ".join(first.events)
    assert ("missed" in told) == bool(missed)
    table = cases.worst_table(worst, entry, PUBLIC)
    assert f'href="cases?set=phantom-public&amp;case={first.case_id}&amp;ids=delta"' in table


def test_what_happened_in_a_case_is_named() -> None:
    """The shift of the names, what was missed and what was spurious, levels joined; or that the prediction failed."""
    rows = pd.DataFrame(
        {
            "case_id": ["a"] * 5 + ["b", "b"],
            "row": ["vertebra"] * 4 + ["case", "vertebra", "case"],
            "status": ["missed", "missed", "matched", "spurious", None, "missed", None],
            "label": [19, 20, 21, 25, None, 20, None],
            "label_shift": [None, None, None, None, -1, None, None],
            "dsc": [0.0, 0.0, 0.5, None, None, 0.0, None],
            "hd95_mm": [None, None, 130.0, None, None, None, None],
            "source": ["MSD-T10"] * 5 + [None, None],
            "failure": [None] * 5 + ["E_TRUNCATED"] * 2,
        }
    ).astype({"label": "Int64", "label_shift": "Int64", "dsc": "Float64", "hd95_mm": "Float64"})
    refused, shifted = cases.worst_cases(rows)
    assert refused == cases.WorstCase("b", "", 0.0, 100.0, ("the prediction was refused: E_TRUNCATED",))
    assert shifted.events == ("names off by −1", "missed T12, L1", "spurious L6")
    assert (shifted.source, shifted.dsc) == ("MSD-T10", pytest.approx(0.5 / 3))
    assert shifted.hd95_mm == pytest.approx(100.0)


def test_perfect_cases_are_not_among_the_worst() -> None:
    """A case without a fault is no case to look at."""
    rows = pd.DataFrame(
        {
            "case_id": ["a"], "row": ["vertebra"], "status": ["matched"], "label": [20], "label_shift": [0],
            "dsc": [1.0], "hd95_mm": [0.0], "source": ["VerSe"], "failure": [None],
        }
    )  # fmt: skip
    assert cases.worst_cases(rows) == ()


def test_of_a_private_set_there_is_no_case_table(made_board: Board) -> None:
    """The rows of private cases are not in the record, and nobody looks for them."""
    entry = entry_of(made_board, "alpha")
    assert case_table(made_board, entry, PRIVATE) is None
    assert case_table(made_board, real(), "public") is None
    note = errors.note(made_board, entry, PRIVATE, has_cases=False)
    assert "not published" in note
    assert "left out" in note


def test_figures_are_drawn_of_cases_alone(made_board: Board) -> None:
    """Four figures, each with a sentence; without a reference vertebra there is none."""
    entry = entry_of(made_board, "gamma")
    rows = case_table(made_board, entry, PUBLIC)
    assert rows is not None
    figures = cases.case_figures(entry, PUBLIC, rows)
    assert [each.name for each in figures] == ["strip", "cases", "confusion", "losses"]
    assert all(each.words.endswith(".") for each in figures)
    spurious = rows[rows["status"] == "spurious"]
    assert cases.case_figures(entry, "phantom-verse-without", spurious) == ()


def test_provenance_says_whether_it_is_of_today(made_folder: Path, tmp_path: Path) -> None:
    """All digests are those in use, until one is not; submissions with the same predictions are linked or named."""
    shutil.copytree(made_folder / "submissions", tmp_path / "submissions")
    board = board_of(tmp_path)
    facts = str(provenance.provenance_facts(board, entry_of(board, "beta")))
    assert facts.count("the one in use today") == 7
    assert "not the one" not in facts
    assert f">{board.today.engine_version}, the one in use today<" in facts
    assert "Same predictions as" not in facts

    def change(results: dict[str, Any]) -> None:
        results["provenance"]["engine_version"] = 1
        results["provenance"]["command"] = "ctspine-bench score <b>"
        results["submission"]["same_predictions_as"] = ["alpha", "long-gone"]

    change_results(tmp_path / "submissions" / "beta", change)
    board = board_of(tmp_path)
    facts = str(provenance.provenance_facts(board, entry_of(board, "beta")))
    assert facts.count("not the one in use today") == 1
    assert "ctspine-bench score &lt;b&gt;" in facts
    assert '<a href="submission?id=alpha" target="_self">alpha</a><br>long-gone' in facts


def test_published_results_were_made_with_nothing_of_this() -> None:
    """There is no scorer and no digest to show."""
    board = Board(ROOT / "submissions", cache=Cache(None))
    assert provenance.provenance_facts(board, real()) is None


def test_the_data_set_is_cited_as_the_citation_file_says() -> None:
    """Title, authors, year and address are those of CITATION.cff."""
    (reference,) = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["references"]
    authors = " and ".join(f"{each['family-names']}, {each['given-names']}" for each in reference["authors"])
    bibtex = cite.dataset_bibtex()
    for field, value in (
        ("title", f"{{{reference['title']}}}"),
        ("author", authors),
        ("year", str(reference["year"])),
        ("url", reference["url"]),
    ):
        assert f"{field:<6} = {{{value}}}" in bibtex


def test_a_submission_is_cited_by_what_is_known_of_it(made_board: Board, tmp_path: Path) -> None:
    """Scored, published and simulated ones say what they are; the address is that of the paper, else of the code."""
    entry = declared(tmp_path, code="https://example.org/code", paper="https://example.org/paper")
    assert cite.submission_bibtex(entry) == (
        "@misc{ctspine1k-spine-net,\n"
        "  title        = {{SpineNet 2}},\n"
        "  author       = {{Spine Group}},\n"
        "  year         = {2026},\n"
        "  howpublished = {Submission to the CTSpine1K leaderboard},\n"
        "  url          = {https://example.org/paper}\n"
        "}"
    )
    simulated = str(cite.submission_bibtex(entry_of(made_board, "alpha")))
    assert "Simulated submission" in simulated
    assert "note         = {Scored with ctspine-bench " in simulated
    published = str(cite.submission_bibtex(real()))
    assert "As published: Deng et al., CTSpine1K" in published
    assert "Scored with" not in published


def test_data_has_no_undefined_number_that_is_not_empty(made_board: Board) -> None:
    """What is not told is an empty cell of the tables to take away."""
    table = paper_table.paper_table(entry_of(made_board, "beta"))
    assert table is not None
    numbers = table.data()[["dsc", "hd95_mm"]].to_numpy(float)
    assert np.isfinite(numbers[~np.isnan(numbers)]).all()
    held_back = table.data().query("test_set == 'phantom-private' and (n == '<5' or n_reference == '<5')")
    assert len(held_back)
    assert held_back["dsc"].isna().all()
