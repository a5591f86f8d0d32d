"""`ctspine-bench rank` as organizers and participants call it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from board_records import PRIVATE, PUBLIC, VERSE, change_results, no_strata, spines, write_record_of
from made_boards import Quality, make_board

from ctspine_bench.board import Board
from ctspine_bench.board.cache import Cache
from ctspine_bench.board.entries import REASONS
from ctspine_bench.cli import rank
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.rankings import SCHEMES
from ctspine_bench.rankings.coverage import measured_coverage
from ctspine_bench.rankings.paired import METRICS, REGIONS
from ctspine_bench.report.terminal_standings import share
from ctspine_bench.testsets import OFFICIAL, PHANTOM

if TYPE_CHECKING:
    from collections.abc import Callable

    from command_line import Done

PAPER = Path(__file__).parents[2] / "submissions" / "nnunet-paper"
QUALITIES = {
    "alpha": Quality(outline=0.03),
    "beta": Quality(outline=0.06, missing=0.05),
    "gamma": Quality(outline=0.2, shifted=0.4),
}


@pytest.fixture(scope="session")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board of three submissions and its private store; not to be changed."""
    with no_strata():
        return make_board(tmp_path_factory.mktemp("ranked"), QUALITIES, n_cases=12)


@pytest.fixture
def folder(ranked: Path, tmp_path: Path) -> Path:
    """A copy of it that may be changed."""
    return shutil.copytree(ranked, tmp_path / "ranked")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def row_of(text: str, name: str) -> list[str]:
    """The first line of a submission's row, split at blanks."""
    return next(line.split() for line in text.splitlines() if re.match(rf" *\d+ .*\b{name}\b", line))


class TestTable:
    """What is printed."""

    def test_every_test_set_with_ranks_and_scores(self, run: Callable[..., Done], ranked: Path) -> None:
        """The three sets of the board, and of each the ranks, scores and counts that the board has."""
        done = run("rank", ranked / "submissions", "--test-set", PUBLIC)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(
            f"{PUBLIC} · 12 cases\nMean, then rank · DSC · whole spine · not the official order"
        )
        board = Board(ranked / "submissions", cache=Cache(None))
        dsc, hd95 = (board.standings(PUBLIC, metric=metric).standings for metric in ("dsc", "hd95_mm"))
        assert dsc is not None
        assert hd95 is not None
        lines = done.stdout.splitlines()
        for row, other in zip(dsc.rows, hd95.rows, strict=True):
            entry = board.entry(row.slug)
            assert entry is not None
            counts = entry.on(PUBLIC)["counts"]
            assert row_of(done.stdout, row.slug) == [
                str(row.rank),
                row.slug,
                f"{row.score:.3f}",
                f"{other.score:.2f}",
                f"{row.per_case:.3f}",
                share(row.p_first),
                str(counts["missed"]),
                str(counts["spurious"]),
            ]
            assert f"{row.score_low:.3f}–{row.score_high:.3f}" in done.stdout
            assert f"{other.score_low:.2f}–{other.score_high:.2f}" in done.stdout
            # Below the row stand the intervals, and below the mean over cases its rank.
            below = lines[next(i for i, line in enumerate(lines) if line.split()[1:2] == [row.slug]) + 1].split()
            assert below[-1] == str(row.per_case_rank)
        everything = run("rank", ranked / "submissions").stdout
        assert everything.count("Confirmatory is the official order on the private test set alone.") == 1
        assert [name for name in (PUBLIC, PRIVATE, VERSE, "CTSpine1K") if f"{name} " in everything] == [PUBLIC, VERSE]
        assert everything.count("\nMean, then rank") == 3

    @pytest.mark.parametrize("columns", [80, 100, 120, 140])
    @pytest.mark.parametrize("scheme", ["mean-then-rank", "rank-then-mean"])
    def test_it_fits(
        self, run: Callable[..., Done], ranked: Path, monkeypatch: pytest.MonkeyPatch, columns: int, scheme: str
    ) -> None:
        """No line is longer than the terminal is wide, no name and no number is cut, headings stand above numbers."""
        monkeypatch.setenv("COLUMNS", str(columns))
        text = run(
            "rank", ranked / "submissions", "--scheme", scheme, "--private-store", ranked / "private-store"
        ).stdout
        lines = text.splitlines()
        assert max(map(len, lines)) <= columns
        assert "…" not in text
        for name in QUALITIES:
            assert sum(bool(re.match(rf" *\d.* {name} ", line)) for line in lines) == 3
        heading = next(line for line in lines if "P(1st)" in line)
        assert heading.rstrip().endswith("spurious" if columns >= 120 else "spur.")
        assert ("spurious" in heading) == (columns >= 120)
        assert "per case ↑" in text

    def test_intervals_of_ranks(self, run: Callable[..., Done], ranked: Path) -> None:
        """Written with a dash, or as the one rank that there is; under ten cases all ranks are possible."""
        public = run("rank", ranked / "submissions", "--test-set", PUBLIC).stdout
        board = Board(ranked / "submissions", cache=Cache(None))
        found = board.standings(PUBLIC).standings
        assert found is not None
        ranges = [str(row.low) if row.low == row.high else f"{row.low}–{row.high}" for row in found.rows]
        assert [line.split()[0] for line in public.splitlines() if re.match(r" *\d(–\d)? +\d\.\d{3}–", line)] == ranges
        verse = run("rank", ranked / "submissions", "--test-set", VERSE).stdout
        assert verse.count(" 1–3 ") == 3
        assert "Under 10 cases nothing is sure" in verse

    def test_what_the_order_hangs_on(self, run: Callable[..., Done], ranked: Path) -> None:
        """Kendall's τ, what leaving cases out changes, and how far intervals can be trusted at so few cases."""
        text = " ".join(run("rank", ranked / "submissions", "--test-set", PUBLIC).stdout.split())
        assert "Kendall's τ = " in text
        assert "Whichever case is left out, alpha stays first." in text
        covered = measured_coverage(12)
        assert covered is not None
        assert "Over draws that agree with the intervals, the order keeps" in text
        told = f"in simulations they covered the truth in {100 * covered:.0f} %."
        assert f"With 12 cases, 95 % intervals are too narrow: {told}" in text

    @pytest.mark.parametrize(("n_better", "bound"), [(1, "Removing 1 of 12"), (4, "Removing at most 3 of 12")])
    def test_an_upper_bound_is_called_one(
        self, run: Callable[..., Done], tmp_path: Path, n_better: int, bound: str
    ) -> None:
        """One case is exact; more are found one after the other, and said to be so."""
        lead = np.full((12, 2), 0.8)
        lead[:n_better] = 0.95
        store = PrivateStore(tmp_path / "store")
        even = 0.8 + 0.005 * n_better
        for slug, dsc in (("lead", lead), ("even", np.full((12, 2), even))):
            write_record_of(tmp_path, slug, {PUBLIC: spines(dsc, ("L1", "L2"), "COLONOG")}, store)
        text = " ".join(run("rank", tmp_path / "submissions").stdout.split())
        assert f"{bound} cases puts even first" in text
        assert ("found greedily: fewer may do" in text) == (n_better > 1)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (("--scheme", "rank-then-mean"), ["1", "alpha", "1.00"]),
            (("--scheme", "significance"), ["1", "alpha"]),
            (("--metric", "nsd_1mm"), ["1", "alpha"]),
            (("--region", "lumbar"), ["1", "alpha"]),
        ],
    )
    def test_by_something_else(
        self, run: Callable[..., Done], ranked: Path, options: tuple[str, str], expected: list[str]
    ) -> None:
        """By any scheme, metric and region; a score that is not DSC or HD95 has a column of its own."""
        text = run("rank", ranked / "submissions", "--test-set", PUBLIC, *options).stdout
        assert row_of(text, "alpha")[: len(expected)] == expected
        assert ("mean rank ↓" in text) == (options[0] == "--scheme")
        assert ("NSD 1 mm ↑" in text) == (options[0] == "--metric")
        assert ("those of the whole spine" in " ".join(text.split())) == (options[0] == "--region")

    def test_known_bad_references_can_be_left_out(self, run: Callable[..., Done], tmp_path: Path) -> None:
        """Said in the headline, with one case less; where there are none nothing is said."""
        cases = spines(np.full((12, 2), 0.8), ("L1", "L2"), "COLONOG")
        cases[0] = type(cases[0])(**{**vars(cases[0]), "case_id": "1.3.6.1.4.1.9328.50.4.0103"})
        write_record_of(tmp_path, "one", {PUBLIC: cases}, PrivateStore(tmp_path / "store"))
        assert f"{PUBLIC} · 12 cases\n" in run("rank", tmp_path / "submissions").stdout
        dropped = run("rank", tmp_path / "submissions", "--drop-errata").stdout
        assert f"{PUBLIC} · 11 cases · without known-bad references\n" in dropped

    def test_who_is_not_ranked_and_why(self, run: Callable[..., Done], folder: Path) -> None:
        """Below the table, by reason, with what their records say; published ones on the sets of the paper."""
        change_results(folder / "submissions" / "beta", lambda results: results["provenance"].update(engine_version=1))
        shutil.copytree(PAPER, folder / "submissions" / "nnunet-paper")
        done = run("rank", folder / "submissions", "--test-set", PUBLIC)
        ranks, _, below = done.stdout.partition("Not ranked")
        assert "beta" not in ranks
        assert f"{REASONS['outdated']}\n" in re.sub(" +\n", "\n", below)
        assert re.search(r"beta +DSC 0\.\d{3} +HD95 \d+\.\d\d mm", below)
        done = run("rank", folder / "submissions", "--test-set", "verse")
        assert done.returncode == 0
        assert "No submission is ranked on this test set yet." in done.stdout
        assert re.search(r"nnU-Net.* DSC 0\.619 +HD95 6\.23 mm", done.stdout)

    def test_what_all_have_in_common_is_said_once(self, run: Callable[..., Done], folder: Path) -> None:
        """All are simulated; only one has learned from VerSe."""
        path = folder / "submissions" / "beta" / "submission.yaml"
        path.write_text(path.read_text().replace("uses_verse: false", "uses_verse: true"))
        text = run("rank", folder / "submissions", "--test-set", PUBLIC).stdout
        assert text.count("simulated") == 1
        assert "All are simulated." in text
        assert text.count("trained on VerSe") == 1


class TestPrivate:
    """The private test sets."""

    def test_without_the_organizers_nobody_is_ranked(self, run: Callable[..., Done], ranked: Path) -> None:
        """The set is there, with what records say and the reason."""
        done = run("rank", ranked / "submissions", "--test-set", PRIVATE)
        assert done.returncode == 0
        assert "The organizers' standings of this test set are not at hand." in done.stdout
        assert re.search(r"alpha +DSC 0\.\d{3}", done.stdout)

    def test_with_the_store_they_are_ranked(self, run: Callable[..., Done], ranked: Path) -> None:
        """In the official order, which is marked, with the scores of the records; nothing about single cases."""
        done = run("rank", ranked / "submissions", "--test-set", PRIVATE, "--private-store", ranked / "private-store")
        assert (done.returncode, done.stderr) == (0, "")
        assert "Mean, then rank · DSC · whole spine · the official order\n" in done.stdout
        for place, slug in enumerate(QUALITIES, start=1):
            results = json.loads((ranked / "submissions" / slug / "results.json").read_text())
            mean = results["test_sets"][PRIVATE]["mean_of_vertebrae"]
            assert row_of(done.stdout, slug)[:4] == [str(place), slug, f"{mean['dsc']:.3f}", f"{mean['hd95_mm']:.2f}"]
        assert "made-private" not in done.stdout

    def test_a_file_has_the_same_as_the_store(self, run: Callable[..., Done], ranked: Path, tmp_path: Path) -> None:
        """What --output writes, --private-standings reads, and can be written again from it."""
        files = tmp_path / "one.json", tmp_path / "two.json"
        store = ("--private-store", ranked / "private-store")
        first = run("rank", ranked / "submissions", *store, "--output", files[0])
        second = run("rank", ranked / "submissions", "--private-standings", files[0], "--output", files[1])
        assert (first.returncode, second.returncode) == (0, 0)
        assert first.stdout == second.stdout
        one, two = (json.loads(path.read_text()) for path in files)
        assert one["test_sets"] == two["test_sets"]
        assert one["test_sets"][PRIVATE]["entries"].keys() == QUALITIES.keys()
        assert "made-private" not in files[0].read_text()

    def test_by_other_metrics_nothing_is_told(self, run: Callable[..., Done], ranked: Path) -> None:
        """Neither by NSD nor by region, and it says so."""
        store = ("--private-store", ranked / "private-store")
        text = run("rank", ranked / "submissions", "--test-set", PRIVATE, *store, "--region", "lumbar").stdout
        assert "there are no standings by this metric and region" in " ".join(text.split())

    @pytest.mark.parametrize("content", [None, b"{", b'{"kind": "standings", "schema_version": 9}'])
    def test_a_file_that_cannot_be_used_is_an_error(
        self, run: Callable[..., Done], ranked: Path, tmp_path: Path, content: bytes | None
    ) -> None:
        """Who asks for it has to know: nothing is printed or written."""
        path = tmp_path / "standings.json"
        if content is not None:
            path.write_bytes(content)
        output = tmp_path / "out.json"
        done = run("rank", ranked / "submissions", "--private-standings", path, "--output", output)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("E_STANDINGS  standings.json\n")
        assert not output.exists()

    def test_store_and_file_at_once_are_wrong_usage(self, run: Callable[..., Done], ranked: Path) -> None:
        """One of them makes the standings, the other reads them."""
        done = run("rank", ranked / "submissions", "--private-store", "a", "--private-standings", "b")
        assert (done.returncode, done.stdout) == (2, "")
        assert "give one" in done.stderr

    def test_a_store_that_is_not_there_is_wrong_usage(self, run: Callable[..., Done], ranked: Path) -> None:
        """In a mistyped folder nobody would have been scored; none is made."""
        done = run("rank", ranked / "submissions", "--private-store", ranked / "nowhere")
        assert done.returncode == 2
        assert not (ranked / "nowhere").exists()


class TestOutput:
    """standings.json."""

    def test_it_has_every_scheme_whatever_is_shown(
        self, run: Callable[..., Done], ranked: Path, tmp_path: Path
    ) -> None:
        """What is shown decides about the table alone; the path is told."""
        path = tmp_path / "new" / "standings.json"
        done = run("rank", ranked / "submissions", "--scheme", "significance", "--test-set", VERSE, "--output", path)
        assert (done.returncode, done.stderr) == (0, f"standings  {path}\n")
        document = json.loads(path.read_text())
        assert list(document["test_sets"]) == [PUBLIC, PRIVATE, VERSE]
        assert {each["scheme"] for each in document["test_sets"][PUBLIC]["standings"]} == SCHEMES.keys()
        assert document["test_sets"][PRIVATE]["standings"] == []

    def test_the_old_file_stays_when_the_new_one_cannot_be_finished(
        self, run: Callable[..., Done], ranked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A full disk leaves no half of a file."""
        path = tmp_path / "standings.json"
        path.write_text("old")

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("ctspine_bench.files._sync", full)
        done = run("rank", ranked / "submissions", "--output", path)
        assert done.returncode == 1
        assert "No space left on device" in done.stderr
        assert path.read_text() == "old"
        assert [each.name for each in tmp_path.iterdir()] == ["standings.json"]


class TestBadRecords:
    """Records that cannot be read."""

    def test_each_is_listed_once_and_the_others_are_ranked(
        self, run: Callable[..., Done], folder: Path, tmp_path: Path
    ) -> None:
        """A broken one, a newer one and a bad name: three errors at the end, exit 1, and the file is there."""
        submissions = folder / "submissions"
        (submissions / "beta" / "results.json").write_text("{")
        path = submissions / "gamma" / "submission.yaml"
        path.write_text(path.read_text().replace("schema_version: 1", "schema_version: 9"))
        (submissions / "Bad Name").mkdir()
        done = run("rank", submissions, "--output", tmp_path / "standings.json")
        assert done.returncode == 1
        assert done.stdout.count("alpha") >= 2
        assert "beta" not in done.stdout
        assert re.findall(r"^(E_\w+)  (.*)$", done.stderr, re.MULTILINE) == [
            ("E_SLUG", "submissions/Bad Name"),
            ("E_RECORD", "beta/results.json"),
            ("E_VERSION", "gamma/submission.yaml: schema_version"),
        ]
        assert "Left out, because they cannot be read: 3\n" in done.stderr
        sets: dict[str, Any] = json.loads((tmp_path / "standings.json").read_text())["test_sets"]
        assert list(sets[PUBLIC]["entries"]) == ["alpha"]

    def test_no_name_of_a_folder_reaches_the_terminal_as_it_is(self, run: Callable[..., Done], folder: Path) -> None:
        """Control characters are escaped, markup is text."""
        (folder / "submissions" / "\x1b[31mred").mkdir()
        (folder / "submissions" / "[bold]loud").mkdir()
        done = run("rank", folder / "submissions", "--test-set", PUBLIC)
        assert "\x1b" not in done.stdout + done.stderr
        assert "submissions/\\x1b[31mred" in done.stderr
        assert "submissions/[bold]loud" in done.stderr


class TestFolders:
    """Where submissions are looked for."""

    def test_an_empty_folder_has_none(self, run: Callable[..., Done], tmp_path: Path) -> None:
        """That is no error; a document of nobody is written if it is asked for."""
        done = run("rank", tmp_path, "--output", tmp_path / "standings.json")
        assert (done.returncode, done.stdout) == (0, f"There is no submission in {tmp_path} yet.\n")
        document = json.loads((tmp_path / "standings.json").read_text())
        assert list(document["test_sets"]) == list(OFFICIAL)

    def test_a_folder_that_is_not_there_is_wrong_usage(self, run: Callable[..., Done], tmp_path: Path) -> None:
        """Most likely it is mistyped."""
        done = run("rank", tmp_path / "nowhere")
        assert (done.returncode, done.stdout) == (2, "")
        assert "found none called" in done.stderr

    def test_by_default_that_of_the_repository(self, run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
        """In the repository the board of the first day is shown: the published row on all three sets."""
        monkeypatch.chdir(PAPER.parents[1])
        done = run("rank")
        assert done.returncode == 0
        assert done.stdout.count("As published: not scored by this benchmark") == 3


def test_choices_are_those_of_the_tables() -> None:
    """The command names schemes, metrics and regions itself, so that --help loads nothing."""
    choices = {option.name: option.type.choices for option in rank.command.params if hasattr(option.type, "choices")}
    assert choices == {
        "test_set": (*OFFICIAL, *PHANTOM),
        "scheme": tuple(SCHEMES),
        "metric": tuple(METRICS),
        "region": tuple(REGIONS),
    }
