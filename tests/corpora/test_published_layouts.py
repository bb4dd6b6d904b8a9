import pytest

from training.clips import CorpusError
from training.corpora import read_corpus

FORMATS = ("wav", "flac", "ogg", "mp3")


def by_name(corpus):
    return {clip.path.stem: clip for clip in corpus.clips}


def test_ravdess_when_as_published_then_every_part_of_the_name_counts(lay_out):
    folder = lay_out(
        "Actor_01/03-01-05-02-01-01-01.wav",
        "Actor_12/03-01-02-01-02-02-12.wav",
        "Audio_Song_Actors_01-24/Actor_12/03-02-06-01-02-02-12.wav",
    )
    clips = by_name(read_corpus("ravdess", folder))

    angry, calm, song = (
        clips[name] for name in ("03-01-05-02-01-01-01", "03-01-02-01-02-02-12", "03-02-06-01-02-02-12")
    )
    assert (angry.speaker, angry.emotion, angry.sex, angry.fold) == ("ravdess_01", "angry", "m", 1)
    assert (calm.speaker, calm.emotion, calm.sex, calm.fold) == ("ravdess_12", "calm", "f", 2)
    assert (song.corpus, song.speaker, song.emotion, song.fold) == (
        "ravdess_song",
        "ravdess_12",
        "fear",
        calm.fold,
    )
    assert {clip.corpus for clip in (angry, calm)} == {"ravdess"}
    assert angry.licence == "CC BY-NC-SA 4.0"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Actor_01/03-01-09-01-01-01-01.wav", "unknown emotion '09'"),
        ("Actor_25/03-01-05-01-01-01-25.wav", "actor '25'"),
        ("Actor_01/03-03-05-01-01-01-01.wav", "vocal channel '03'"),
        ("Actor_01/01-01-05-01-01-01-01.wav", "not a RAVDESS audio name"),
        ("Actor_01/03-01-05-01-01-01.wav", "not a RAVDESS audio name"),
        ("Actor_01/angry.wav", "not a RAVDESS audio name"),
    ],
)
def test_ravdess_when_a_name_is_wrong_then_it_is_told_and_the_rest_is_used(lay_out, name, reason):
    corpus = read_corpus("ravdess", lay_out(name, "Actor_02/03-01-05-01-01-01-02.wav"))

    assert len(corpus.clips) == 1
    (problem,) = corpus.problems
    assert problem.where.endswith(name)
    assert reason in problem.why


@pytest.mark.parametrize("kind", FORMATS)
def test_emodb_when_in_any_format_then_as_published(lay_out, kind):
    folder = lay_out(*(f"wav/{name}.{kind}" for name in ("03a01Fa", "16b10Wb", "08a02La", "10a04Ad")))
    clips = by_name(read_corpus("emodb", folder))

    assert [clips[n].emotion for n in ("03a01Fa", "16b10Wb", "08a02La", "10a04Ad")] == [
        "happy",
        "angry",
        "boredom",
        "fear",
    ]
    assert [clips[n].sex for n in ("03a01Fa", "16b10Wb", "10a04Ad")] == ["m", "f", "m"]
    assert (clips["03a01Fa"].fold, clips["16b10Wb"].fold) == (1, 10)
    assert clips["16b10Wb"].language == "de"


@pytest.mark.parametrize("name", ["wav/03a01Xa.wav", "wav/99a01Fa.wav", "wav/03a01F.wav"])
def test_emodb_when_a_name_is_wrong_then_it_is_told(lay_out, name):
    corpus = read_corpus("emodb", lay_out(name, "wav/03a01Fa.wav"))

    assert len(corpus.clips) == 1
    assert len(corpus.problems) == 1


def test_tess_when_as_published_then_both_actresses_and_the_misnamed_file(lay_out):
    inner = "TESS Toronto emotional speech set data"
    folder = lay_out(
        f"{inner}/OAF_angry/OAF_back_angry.wav",
        f"{inner}/OAF_neutral/OA_bite_neutral.wav",
        f"{inner}/OAF_Pleasant_surprise/OAF_back_ps.wav",
        f"{inner}/YAF_sad/YAF_back_sad.wav",
    )
    clips = by_name(read_corpus("tess", folder))

    assert len(clips) == 4
    assert (clips["OA_bite_neutral"].speaker, clips["OA_bite_neutral"].fold) == ("tess_OAF", 1)
    assert clips["OAF_back_ps"].emotion == "surprise"
    assert (clips["YAF_back_sad"].speaker, clips["YAF_back_sad"].fold) == ("tess_YAF", 2)


def test_tess_when_the_archive_holds_every_file_twice_then_each_counts_once(lay_out):
    inner = "TESS Toronto emotional speech set data"
    names = [f"OAF_{word}_angry.wav" for word in ("back", "bar", "base")]
    folder = lay_out(
        *(f"{inner}/OAF_angry/{name}" for name in names),
        *(f"{inner}/{inner}/OAF_angry/{name}" for name in names),
    )
    corpus = read_corpus("tess", folder)

    assert sorted(clip.path.name for clip in corpus.clips) == names
    assert len(corpus.problems) == 3
    assert "a second OAF_back_angry" in corpus.problems[0].why


def test_ravdess_when_speech_and_its_zip_were_unpacked_side_by_side_then_each_clip_once(lay_out):
    name = "Actor_01/03-01-05-02-01-01-01.wav"
    corpus = read_corpus("ravdess", lay_out(name, f"audio_speech_actors_01-24/{name}"))

    assert len(corpus.clips) == len(corpus.problems) == 1


@pytest.mark.parametrize("kind", ["ravdess", "tess", "emodb"])
def test_corpus_when_folder_is_empty_then_one_clear_error(tmp_path, kind):
    with pytest.raises(CorpusError, match="holds no audio file") as caught:
        read_corpus(kind, tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("kind", ["ravdess", "tess", "emodb"])
def test_corpus_when_it_is_another_corpus_then_the_error_shows_what_was_found(lay_out, kind):
    with pytest.raises(CorpusError, match="holiday"):
        read_corpus(kind, lay_out("holiday.wav", "holiday2.wav"))


@pytest.mark.parametrize("kind", ["ravdess", "tess", "emodb", "csv"])
def test_corpus_when_place_is_missing_then_one_clear_error(tmp_path, kind):
    with pytest.raises(CorpusError, match="no such file or folder"):
        read_corpus(kind, tmp_path / "nowhere")


def test_corpus_when_place_is_a_file_then_one_clear_error(lay_out):
    folder = lay_out("03a01Fa.wav")

    with pytest.raises(CorpusError, match="name the folder"):
        read_corpus("emodb", folder / "03a01Fa.wav")


def test_corpus_when_kind_is_unknown_then_the_known_are_named(tmp_path):
    with pytest.raises(CorpusError, match="ravdess, tess, emodb, csv"):
        read_corpus("iemocap", tmp_path)


def test_corpus_when_other_files_lie_around_then_they_are_no_matter(lay_out):
    folder = lay_out("wav/03a01Fa.wav", "wav/._03a01Wa.wav")
    (folder / "README.txt").write_text("about the corpus")
    (folder / "labels").mkdir()
    corpus = read_corpus("emodb", folder)

    assert [clip.path.stem for clip in corpus.clips] == ["03a01Fa"]
    assert corpus.problems == []
