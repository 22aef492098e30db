"""Settings come from where they should, and what is private on disk is private."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from pai_daemon.config import (
    RANGES,
    Settings,
    daemon_records,
    ensure_token,
    load,
    private_folder,
    read_token,
    remember,
    vault_key,
    write_private,
)
from pai_daemon.errors import UsageError


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings whose folders do not exist yet."""
    return Settings(tmp_path / "config", tmp_path / "data", tmp_path / "cache")


def mode(path: Path) -> int:
    """Return the permissions of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


def test_load_takes_flags_over_environment_over_file(tmp_path: Path) -> None:
    """The nearest word counts; what nobody says has its default."""
    (tmp_path / "config.toml").write_text('port = 1\nthreads = 2\nmodel = "small"', "utf-8")
    environ = {"PAI_CONFIG_DIR": str(tmp_path), "PAI_PORT": "3", "PAI_THREADS": "4"}
    settings = load({"port": 5, "model": None}, environ)
    assert (settings.port, settings.threads, settings.model) == (5, 4, "small")
    assert settings.generator == "extractive"


@pytest.mark.parametrize("name", RANGES)
def test_number_at_the_ends_of_its_range_is_taken(tmp_path: Path, name: str) -> None:
    """The least and the most that a number may be are themselves allowed."""
    for value in RANGES[name]:
        settings = load(environ={"PAI_CONFIG_DIR": str(tmp_path), f"PAI_{name.upper()}": str(value)})
        assert getattr(settings, name) == value


@pytest.mark.parametrize("value", ["9", "inf", "-inf", "nan"])
def test_number_out_of_range_names_the_range(tmp_path: Path, value: str) -> None:
    """The message says which setting, between what and what, and what was given."""
    with pytest.raises(UsageError) as refused:
        load(environ={"PAI_CONFIG_DIR": str(tmp_path), "PAI_RESCAN_S": value})
    for word in ("rescan_s", "10", "31536000", value):
        assert word in refused.value.detail


@pytest.mark.parametrize("value", ["true", "1.7", "[1]", '"many"'])
def test_number_of_another_kind_is_refused(tmp_path: Path, value: str) -> None:
    """A truth value is no 1, and a fraction is not cut."""
    (tmp_path / "config.toml").write_text(f"threads = {value}", "utf-8")
    with pytest.raises(UsageError, match="threads is not a valid int"):
        load(environ={"PAI_CONFIG_DIR": str(tmp_path)})


def test_index_folder_of_a_long_name_is_cut_at_a_character(settings: Settings, tmp_path: Path) -> None:
    """Whatever a vault is called, the name of its index is short UTF-8 and ends with its key."""
    for name in (
        "n" * 255,
        "é" * 127,
        "的" * 85,
        "a" + "😀" * 63,
        b"caf\xe9".decode("utf-8", "surrogateescape"),
    ):
        vault = tmp_path / name
        folder = settings.index_dir(vault).name
        assert len(folder.encode()) <= 77
        assert folder.endswith(f"-{vault_key(vault)}")
    assert settings.index_dir(Path("/")).name == f"vault-{vault_key(Path('/'))}"


def test_private_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    """Every folder that is made has mode 0700; one that was there keeps its own."""
    tmp_path.chmod(0o755)
    private_folder(tmp_path / "a" / "b")
    private_folder(tmp_path / "a" / "b")
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o700, 0o700)
    assert mode(tmp_path) == 0o755


def test_private_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """The file has mode 0600 and its folder 0700, and nothing else is left in it."""
    path = tmp_path / "config" / "token"
    write_private(path, "first")
    write_private(path, "second")
    assert (path.read_text("utf-8"), mode(path), mode(path.parent)) == ("second", 0o600, 0o700)
    assert list(path.parent.iterdir()) == [path]


def test_private_file_where_none_can_be_is_refused(tmp_path: Path) -> None:
    """A file in place of the folder is named in the error."""
    (tmp_path / "config").write_text("a file", "utf-8")
    with pytest.raises(UsageError, match="config/token cannot be written"):
        write_private(tmp_path / "config" / "token", "text")


def test_token_is_made_once(settings: Settings) -> None:
    """The first call makes a token, the later ones return it."""
    assert read_token(settings) is None
    token = ensure_token(settings)
    assert token == ensure_token(settings) == read_token(settings)


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe\x00", "töken".encode(), b"two\nlines", None])
def test_token_file_without_a_token_says_what_to_do(settings: Settings, content: bytes | None) -> None:
    """Empty, no printable ASCII or a folder (None): the person is told to delete it; it is not replaced."""
    path = settings.config_dir / "token"
    path.parent.mkdir()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    for ask in (read_token, ensure_token):
        with pytest.raises(UsageError) as refused:
            ask(settings)
        assert str(path) in refused.value.detail
        assert "Delete it" in refused.value.hint


def test_records_that_are_none_of_ours_are_passed_over(settings: Settings) -> None:
    """Only an object with a vault and an address on this machine counts; one bad file hides no other."""
    assert daemon_records(settings) == []
    ours = {"url": "http://127.0.0.1:8377", "vault": "/notes"}
    others: list[object] = [[], 5, None, {}, {"url": 5, "vault": "/notes"}, ours | {"vault": 5}]
    urls = ["", "http://example.org:8377", "http://127.0.0.1:1@example.org", "file:///etc/passwd"]
    others += [ours | {"url": url} for url in urls]
    texts = [*map(json.dumps, [*others, ours]), "{", "[" * 100_000]
    for number, text in enumerate(texts):
        write_private(settings.config_dir / "daemons" / f"{number}.json", text)
    assert daemon_records(settings) == [ours]


def test_records_in_a_file_instead_of_a_folder_are_none(settings: Settings) -> None:
    """Where the folder of records is a file, no daemon is known."""
    write_private(settings.config_dir / "daemons", "a file")
    assert daemon_records(settings) == []


MINE = """# my settings
port = 9000   # not the usual one

model = "small"  # fast
generator = '''
model = "x"
'''
exclude = ["a", "b"]
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, 'model = "e5"\n'),
        ("", 'model = "e5"\n'),
        ("port = 9000", 'port = 9000\nmodel = "e5"\n'),
        ("port = 9000\r\n", 'port = 9000\r\nmodel = "e5"\r\n'),
        (MINE, MINE.replace('"small"', '"e5"')),
        ("'model'  =  'sm#all'#x\n", "'model'  =  \"e5\"#x\n"),
        ("generator = '''\nmodel = \"x\"'''\n", "generator = '''\nmodel = \"x\"'''\nmodel = \"e5\"\n"),
        ('model = "e5" # is so\n', 'model = "e5" # is so\n'),
    ],
)
def test_remember_changes_one_setting_and_no_other_byte(
    settings: Settings, before: str | None, after: str
) -> None:
    """Comments, order, quotes and line ends of the person's file stay; the setting has the new value."""
    path = settings.config_dir / "config.toml"
    if before is not None:
        private_folder(path.parent)
        path.write_bytes(before.encode())
        path.chmod(0o644)
    remember(settings, "model", "e5")
    assert path.read_bytes().decode() == after
    assert mode(path) == (0o600 if before is None else 0o644)
    assert load(environ={"PAI_CONFIG_DIR": str(settings.config_dir)}).model == "e5"


def test_remember_keeps_a_link_to_settings_elsewhere(settings: Settings, tmp_path: Path) -> None:
    """A settings file that is kept with others, and linked to, is changed where it is."""
    kept = tmp_path / "dotfiles.toml"
    kept.write_text("port = 9000\n", "utf-8")
    private_folder(settings.config_dir)
    (settings.config_dir / "config.toml").symlink_to(kept)
    remember(settings, "model", "e5")
    assert kept.read_text("utf-8") == 'port = 9000\nmodel = "e5"\n'
    assert (settings.config_dir / "config.toml").is_symlink()


@pytest.mark.parametrize("written", ['model = """\nsmall"""\n', "model = [", 'models = "small"\n'])
def test_remember_refuses_a_file_that_it_cannot_change_safely(settings: Settings, written: str) -> None:
    """A value in several lines, or a file that is not ours, is left as it is; the error names the file."""
    path = settings.config_dir / "config.toml"
    private_folder(path.parent)
    path.write_text(written, "utf-8")
    with pytest.raises(UsageError, match=r"config\.toml"):
        remember(settings, "model", "e5")
    assert path.read_text("utf-8") == written


@pytest.mark.parametrize("value", ['say "x"', "back\\slash", "Größe 🙂", "tab\there", "line\nbreak"])
def test_remember_writes_any_text(settings: Settings, value: str) -> None:
    """Quotes, backslashes and line breaks in a value come back as they were."""
    remember(settings, "model", value)
    assert load(environ={"PAI_CONFIG_DIR": str(settings.config_dir)}).model == value
