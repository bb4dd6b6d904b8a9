import pytest

from training.clips import CorpusError
from training.corpora import read_corpus

HEADER = "path,speaker,emotion,corpus,language,fold,sex,licence"


@pytest.fixture
def table(lay_out):
    """Writes a CSV beside three clips, and reads it."""

    def read(*lines, encoding="utf-8", name="mine.csv"):
        folder = lay_out("a.wav", "b.flac", "sub/c.ogg")
        (folder / name).write_text("\n".join(lines) + "\n", encoding=encoding)
        return read_corpus("csv", folder / name)

    return read


def test_csv_when_all_columns_then_all_of_them_count(table):
    (clip,) = table(HEADER, "sub/c.ogg,anna,Happy,mine,pl,3,f,CC0").clips

    assert clip.path.is_file()
    assert (clip.speaker, clip.emotion, clip.corpus, clip.language) == ("anna", "happy", "mine", "pl")
    assert (clip.fold, clip.sex, clip.licence) == (3, "f", "CC0")


def test_csv_when_only_what_must_be_then_the_file_names_the_corpus(table):
    clips = table("speaker,emotion,path", "anna,sad,a.wav", "ben,angry,b.flac").clips

    assert [clip.corpus for clip in clips] == ["mine", "mine"]
    assert [clip.fold for clip in clips] == [0, 0]


def test_csv_when_saved_by_a_spreadsheet_then_its_byte_order_mark_is_no_column(table):
    assert len(table("path,speaker,emotion", "a.wav,anna,sad", encoding="utf-8-sig").clips) == 1


def test_csv_when_paths_are_absolute_then_they_are_found(table, tmp_path):
    assert len(table("path,speaker,emotion", f"{tmp_path / 'a.wav'},anna,sad").clips) == 1


def test_csv_when_place_is_its_folder_then_manifest_is_read(lay_out):
    folder = lay_out("a.wav")
    (folder / "manifest.csv").write_text("path,speaker,emotion\na.wav,anna,sad\n")

    assert len(read_corpus("manifest", folder).clips) == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("gone.wav,anna,sad,,,1,,", "no such file"),
        (",anna,sad,,,1,,", "no such file"),
        ("a.wav,,sad,,,1,,", "no speaker"),
        ("a.wav,  ,sad,,,1,,", "no speaker"),
        ("a.wav,anna,hangry,,,1,,", "unknown emotion 'hangry'"),
        ("a.wav,anna,,,,1,,", "unknown emotion ''"),
        ("a.wav,anna,sad,,,one,,", "fold 'one'"),
        ("a.wav,anna,sad,,,-1,,", "fold '-1'"),
        ("a.wav,anna,sad,,,1.5,,", "fold '1.5'"),
        ("a.wav,anna", "unknown emotion ''"),
    ],
)
def test_csv_when_a_row_is_bad_then_its_line_and_reason_are_told_and_the_rest_used(table, row, reason):
    corpus = table(HEADER, "b.flac,ben,angry,,,2,,", row)

    assert [clip.speaker for clip in corpus.clips] == ["ben"]
    (problem,) = corpus.problems
    assert problem.where.endswith("mine.csv:3")
    assert reason in problem.why


def test_csv_when_columns_are_missing_then_they_are_named(table):
    with pytest.raises(CorpusError, match=r"missing: emotion, speaker$"):
        table("path,who", "a.wav,anna")


def test_csv_when_it_has_a_header_alone_then_no_usable_clip(table):
    with pytest.raises(CorpusError, match="no usable clip of csv: it has no rows"):
        table(HEADER)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_csv_when_columns_are_not_between_commas_then_it_says_how_they_are_to_be(table, mark):
    with pytest.raises(CorpusError, match=r"needs the columns .*; columns are separated by commas"):
        table(HEADER.replace(",", mark), mark.join(("a.wav", "anna", "sad")))


def test_csv_when_it_is_empty_then_the_columns_are_asked_for(tmp_path):
    (tmp_path / "none.csv").touch()

    with pytest.raises(CorpusError, match="needs the columns"):
        read_corpus("csv", tmp_path / "none.csv")


def test_csv_when_no_row_is_usable_then_the_first_reasons_are_shown(table):
    with pytest.raises(CorpusError, match="no such file"):
        table(HEADER, "gone.wav,anna,sad,,,1,,")


def test_csv_when_it_is_no_text_then_one_clear_error(lay_out):
    folder = lay_out("a.wav")

    with pytest.raises(CorpusError, match="cannot be read as a CSV table"):
        read_corpus("csv", folder / "a.wav")


def test_csv_when_its_folder_has_no_manifest_then_one_clear_error(tmp_path):
    with pytest.raises(CorpusError, match="cannot be read as a CSV table"):
        read_corpus("manifest", tmp_path)
