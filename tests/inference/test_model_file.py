import hashlib
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.programs import ROOT

import edge
from edge.inference.card import encode_card
from edge.inference.errors import ModelFileError, ModelMissingError
from edge.inference.model import SHIPPED_MODEL
from edge.inference.model_file import CARD_NAME, _unpack, pack_model, read_model_file

WHOLE = SHIPPED_MODEL.read_bytes()
REMEDIES = ("choose", "copy it again", "name ", "update affectd", "--model", "small device")


def with_archive(flatbuffer, *entries, compression=zipfile.ZIP_DEFLATED):
    file = io.BytesIO(flatbuffer)
    with zipfile.ZipFile(file, "a", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


def refused(path, content, *words):
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        read_model_file(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert any(remedy in message for remedy in REMEDIES), message
    assert caught.value.exit_code == 65
    for word in words:
        assert word in message
    return message


def refused_or_as_written(content, packed):
    """The property of every damaged file: no interpreter ever sees what differs from what was written."""
    try:
        card, flatbuffer = _unpack(content)
    except ModelFileError:
        return True
    assert flatbuffer == packed[1]
    assert card == packed[0]
    return False


def test_model_file_when_shipped_then_it_is_read_and_named_by_its_hash(packed):
    card, flatbuffer = packed

    assert card.flatbuffer_sha256 == hashlib.sha256(flatbuffer).hexdigest()
    assert len(WHOLE) <= 500_000
    assert WHOLE.startswith(flatbuffer)


def test_model_file_when_packed_then_any_zip_program_finds_the_card(packed):
    with zipfile.ZipFile(SHIPPED_MODEL) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [CARD_NAME]
        assert msgspec.json.decode(archive.read(CARD_NAME))["name"] == packed[0].name


def test_model_file_when_packed_again_then_the_same_bytes(packed):
    card, flatbuffer = packed

    assert pack_model(flatbuffer, card) == pack_model(flatbuffer, card)
    assert _unpack(pack_model(flatbuffer, card)) == packed


def test_model_file_when_cut_short_anywhere_then_refused(packed):
    # Every length near an end of a part, and a sample of all others.
    behind = len(packed[1])
    lengths = {*range(64), *range(behind - 40, behind + 80), *range(len(WHOLE) - 120, len(WHOLE))}
    lengths |= set(random.Random(1).sample(range(len(WHOLE)), 300))
    for length in lengths:
        with pytest.raises(ModelFileError):
            _unpack(WHOLE[:length])


@settings(deadline=None, max_examples=300)
@given(st.data(), st.integers(1, 20))
def test_model_file_when_bytes_are_changed_anywhere_then_refused_or_as_written(packed, data, n):
    damaged = bytearray(WHOLE)
    for _ in range(n):
        damaged[data.draw(st.integers(0, len(WHOLE) - 1))] = data.draw(st.integers(0, 255))
    unchanged = bytes(damaged) == WHOLE
    assert (
        refused_or_as_written(bytes(damaged), packed) or unchanged or damaged[: len(packed[1])] == packed[1]
    )


def test_model_file_when_a_byte_of_the_flatbuffer_is_flipped_then_refused(packed):
    rng = random.Random(2)
    for place in [0, 3, *rng.sample(range(8, len(packed[1])), 200), len(packed[1]) - 1]:
        damaged = bytearray(WHOLE)
        damaged[place] ^= 1 << rng.randrange(8)
        with pytest.raises(ModelFileError):
            _unpack(bytes(damaged))


def test_model_file_when_any_bit_of_the_archive_is_flipped_then_refused_or_as_written(packed):
    """A bit of a date changes nothing; one of a length, a name, a checksum or the card does."""
    start = len(packed[1])
    harmless = 0
    for place in range(start, len(WHOLE)):
        for bit in (0, 3, 7):
            damaged = bytearray(WHOLE)
            damaged[place] ^= 1 << bit
            harmless += not refused_or_as_written(bytes(damaged), packed)
    assert harmless < 0.1 * 3 * (len(WHOLE) - start)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200), st.binary(max_size=400))
def test_model_file_when_random_bytes_follow_the_magic_then_refused(head, tail):
    with pytest.raises(ModelFileError):
        _unpack(head[:4].ljust(4, b"\0") + b"TFL3" + head + b"PK\x05\x06" + tail)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_model_file_when_the_archive_is_scrambled_then_refused_or_as_written(packed, data):
    """Pieces of the archive moved, doubled and dropped: offsets and lengths that lie."""
    start = len(packed[1])
    archive = WHOLE[start:]
    pieces = []
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(archive)))
        pieces.append(archive[at : at + data.draw(st.integers(0, len(archive)))])
    refused_or_as_written(WHOLE[:start] + b"".join(pieces), packed)


def test_model_file_when_missing_then_error_66_names_it(tmp_path):
    with pytest.raises(ModelMissingError, match="--model") as caught:
        read_model_file(tmp_path / "none.tflite")
    assert caught.value.exit_code == 66
    assert str(tmp_path / "none.tflite") in str(caught.value)


def test_model_file_when_it_is_a_folder_or_a_pipe_then_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ModelFileError, match="is not a file"):
            read_model_file(path)


def test_model_file_when_huge_then_refused_unread(tmp_path):
    path = tmp_path / "huge.tflite"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ModelFileError, match="over 64 MiB"):
        read_model_file(path)


@pytest.mark.parametrize("content", [b"", b"\0", b"not a model at all", b"PK\x03\x04" + bytes(100)])
def test_model_file_when_no_tflite_then_refused(tmp_path, content):
    refused(tmp_path / "model.tflite", content, "not a TFLite model")


def test_model_file_when_without_card_then_refused(tmp_path, packed):
    refused(tmp_path / "model.tflite", packed[1], "no card after the model")


@pytest.mark.parametrize(
    "name", ["../card.json", "/etc/card.json", "sub/card.json", "CARD.JSON", "card.json\0x"]
)
def test_model_file_when_card_has_a_path_or_another_name_then_refused(tmp_path, packed, name):
    if "\0" in name:
        content = with_archive(packed[1], ("card_json?x", encode_card(packed[0])))
        content = content.replace(b"card_json?x", b"card.txt\0x?")
    else:
        content = with_archive(packed[1], (name, encode_card(packed[0])))
    refused(tmp_path / "model.tflite", content, "no card.json")


def test_model_file_when_labels_lie_beside_the_card_then_it_is_read(tmp_path, packed):
    path = tmp_path / "model.tflite"
    path.write_bytes(with_archive(packed[1], ("labels.txt", b"x"), (CARD_NAME, encode_card(packed[0]))))

    assert read_model_file(path) == packed


def test_model_file_when_the_card_is_a_bomb_then_refused_unpacked(tmp_path, packed):
    content = with_archive(packed[1], (CARD_NAME, bytes(1 << 28)))

    assert len(content) < 1 << 20
    refused(tmp_path / "model.tflite", content, "claims 268435456 bytes")


def test_model_file_when_the_bomb_lies_about_its_size_then_refused(tmp_path, packed):
    size = 1 << 24
    content = with_archive(packed[1], (CARD_NAME, bytes(size)))
    lie = content[len(packed[1]) :].replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    refused(tmp_path / "model.tflite", packed[1] + lie)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_model_file_when_packed_in_another_way_then_refused(tmp_path, packed, compression):
    content = with_archive(packed[1], (CARD_NAME, encode_card(packed[0])), compression=compression)
    refused(tmp_path / "model.tflite", content, "unusual")


def test_model_file_when_the_card_is_of_another_model_then_refused(tmp_path, packed):
    card, flatbuffer = packed
    other = flatbuffer[:-1] + bytes([flatbuffer[-1] ^ 1])
    content = with_archive(other, (CARD_NAME, encode_card(card)))
    refused(tmp_path / "model.tflite", content, "SHA-256", "copy it again")


def test_model_file_when_refused_then_no_runtime_is_even_imported(tmp_path):
    """The command line's own way to a damaged model, in a process that tells which modules it has loaded."""
    path = tmp_path / "model.tflite"
    path.write_bytes(WHOLE[: len(WHOLE) // 2])
    code = (
        "import sys\n"
        "from edge.inference.model import EmotionModel, ModelSettings\n"
        "try:\n"
        f"    EmotionModel(ModelSettings(path={str(path)!r}))\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
        "runtimes = {'ai_edge_litert', 'tflite_runtime', 'tensorflow'}\n"
        "print([name for name in sys.modules if name.split('.')[0] in runtimes])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(edge.__file__).parents[1])},
    )

    assert done.stdout.startswith(f"ModelFileError {path}: ")
    assert done.stdout.splitlines()[-1] == "[]"


def test_shipped_model_when_results_were_made_again_then_its_card_has_their_figures():
    card, _ = read_model_file(SHIPPED_MODEL)
    published = {}
    for file in (ROOT / "benchmarks" / "results" / "accuracy").glob("P*.json"):
        result = json.loads(file.read_bytes())
        figures = {**result["int8"], "seeds": result["seeds"], "folds": result["folds"]}
        published[f"{result['protocol']}-{result['form']}"] = figures

    assert card.metrics == published, "run affectd-convert with --results benchmarks/results/accuracy"
