"""Settings: what is read from where, and what is refused in which words."""

import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from engine.errors import BadSettings
from engine.settings import SECRETS, SECTIONS, Settings, is_loopback, load_settings, place_demo

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(text: str) -> Path:
    Path("settings.toml").write_text(text, encoding="utf-8")
    return Path("settings.toml")


def faults(text: str = "", **environ: str) -> tuple[str, ...]:
    with pytest.raises(BadSettings) as caught:
        load_settings(written(text), environ)
    return caught.value.faults


def fault(text: str = "", **environ: str) -> str:
    (only,) = faults(text, **environ)
    return only


class TestTheFileThatComesWithTheEngine:
    def test_shows_every_setting_but_the_secrets(self):
        """Somebody who reads settings.toml has seen every setting there is."""
        shown = {
            (name, key)
            for name, table in tomllib.loads((ROOT / "settings.toml").read_text(encoding="utf-8")).items()
            for key in table
        }

        known = {(name, key) for name, section in SECTIONS.items() for key in type(section).model_fields}
        assert shown == known - SECRETS

    def test_says_the_defaults(self):
        """The file changes nothing until somebody changes it."""
        assert load_settings(ROOT / "settings.toml", {}) == place_demo(Settings())

    def test_names_the_variable_of_each_secret(self):
        """Secrets are no keys of the file, yet the file tells where they go."""
        text = (ROOT / "settings.toml").read_text(encoding="utf-8")

        for section, key in SECRETS:
            assert f"ENGINE_{section}__{key}".upper() in text

    def test_tells_the_bounds_of_every_number(self):
        """The least and the most of each number stand in the comment above it."""
        text = (ROOT / "settings.toml").read_text(encoding="utf-8")

        for section in SECTIONS.values():
            for key, field in type(section).model_fields.items():
                most = [str(limit.le) for limit in field.metadata if hasattr(limit, "le")]
                comment = text.partition(f"\n{key} =")[0].rsplit(" = ", 1)[-1]
                assert all(number in comment for number in most), key


class TestWhereValuesComeFrom:
    def test_nothing_is_needed(self):
        """Without file and environment, the defaults hold."""
        settings = load_settings(None, {})

        assert settings == place_demo(Settings())
        assert settings.simulated

    def test_the_file_in_the_working_directory_is_read(self):
        written("[web]\nport = 9000\n")

        assert load_settings(None, {}).web.port == 9000

    def test_the_environment_names_another_file(self, tmp_path):
        written("[web]\nport = 9000\n")
        other = tmp_path / "other.toml"
        other.write_text("[web]\nport = 9001\n")

        assert load_settings(None, {"ENGINE_SETTINGS": str(other)}).web.port == 9001

    def test_the_command_line_wins_over_that(self, tmp_path):
        other = tmp_path / "other.toml"
        other.write_text("[web]\nport = 9001\n")

        asked = load_settings(written("[web]\nport = 9000\n"), {"ENGINE_SETTINGS": str(other)})

        assert asked.web.port == 9000

    def test_the_environment_wins_key_by_key(self):
        """One key of a section is overruled, its neighbours stay as the file has them."""
        settings = load_settings(written('[web]\nhost = "::1"\nport = 9000\n'), {"ENGINE_WEB__PORT": "9002"})

        assert (settings.web.host, settings.web.port) == ("::1", 9002)

    def test_the_process_environment_is_not_looked_at(self, monkeypatch):
        """What counts is the environment that is handed over, so a test is never swayed by a shell."""
        monkeypatch.setenv("ENGINE_WEB__PORT", "9003")
        monkeypatch.setenv("WEB", '{"port": 9004}')

        assert load_settings(None, {}).web.port == 8420
        assert Settings().web.port == 8420

    @pytest.mark.parametrize(
        ("environment", "zone"),
        [
            ({}, "Europe/Paris"),
            ({"ENGINE_ROOMS__TIME_ZONE": "America/Montreal"}, "America/Montreal"),
            ({"ENGINE_SIMULATOR__DEMO": "false"}, "UTC"),
            (
                {
                    "ENGINE_GRAPH__CREDENTIAL": "static_token",
                    "ENGINE_GRAPH__TOKEN": "x",
                    "ENGINE_GRAPH__BASE_URL": "http://127.0.0.1:9/v1.0",
                },
                "UTC",
            ),
        ],
    )
    def test_the_demonstration_stands_in_a_zone_of_its_own(self, environment, zone):
        """The desk and the pages reckon in the zone its building stands in, unless a zone is named."""
        assert load_settings(None, environment).rooms.time_zone == zone

    def test_other_variables_are_none_of_our_business(self):
        assert load_settings(None, {"PATH": "/bin", "ENGINES": "2"}) == place_demo(Settings())

    def test_a_secret_that_is_empty_is_not_set(self):
        """Where a variable is passed on from elsewhere, it is there and empty when nobody set it."""
        assert load_settings(None, {"ENGINE_WEB__API_TOKEN": ""}).web.api_token is None

    def test_a_named_file_must_exist(self):
        with pytest.raises(BadSettings, match=r"nowhere\.toml: cannot be read"):
            load_settings(Path("nowhere.toml"), {})

    def test_a_file_that_is_no_toml_is_told_with_its_line(self):
        assert "line 2" in fault("[web]\nport = = 1\n")

    def test_the_result_cannot_be_changed(self):
        settings = load_settings(None, {})

        with pytest.raises(ValidationError):
            settings.web.port = 1
        with pytest.raises(ValidationError):
            settings.web = settings.web


class TestUnknownNames:
    def test_a_section_is_refused_with_the_nearest(self):
        assert fault("[databse]\nurl = 1\n").endswith("unknown section; did you mean database?")

    def test_a_key_is_refused_with_the_nearest(self):
        message = fault("[web]\nprot = 1\n")

        assert message == "[web] prot (settings.toml): unknown key; did you mean port?"

    def test_a_key_like_none_is_refused_with_what_there_is(self):
        assert "known are port, seed, demo, state_file" in fault("[simulator]\nzzz = 1\n")

    def test_a_variable_is_refused_with_the_nearest(self):
        message = fault(ENGINE_SYNC__MOD="shadow")

        assert message == "ENGINE_SYNC__MOD (environment): unknown setting; did you mean ENGINE_SYNC__MODE?"

    def test_a_variable_with_one_underscore_is_refused(self):
        assert "did you mean ENGINE_WEB__PORT?" in fault(ENGINE_WEB_PORT="1")

    def test_a_value_where_a_section_belongs_is_refused(self):
        assert fault("web = 1\n") == "web (settings.toml): must be a section, written [web]"


class TestBadValues:
    def test_the_message_names_key_value_origin_and_what_is_allowed(self):
        assert fault("[web]\nport = 70000\n") == (
            "[web] port = 70000 (settings.toml): must be a port from 1 to 65535, or 0 for any that is free"
        )

    def test_the_origin_may_be_the_environment(self):
        message = fault(ENGINE_SYNC__MODE="both")

        assert message == (
            "[sync] mode = 'both' (environment ENGINE_SYNC__MODE): must be one of shadow, read_only, two_way"
        )

    def test_all_faults_are_told_at_once(self):
        """Nobody has to start five times to hear of five mistakes, in one section or in several."""
        told = faults(
            '[web]\nport = "x"\nhost = ""\ncolour = "red"\n[sync]\nworkers = 0\n',
            ENGINE_GRAPH__CREDENTIAL="static_token",
            ENGINE_NOPE="1",
        )

        assert len(told) == 7
        text = "\n".join(told)
        for name in ("port", "host", "colour", "workers", "token", "base_url", "ENGINE_NOPE"):
            assert name in text

    def test_one_bad_value_of_a_list_is_one_fault(self):
        assert "[loans] domains" in fault('[loans]\ndomains = ["no domain", "nor this one"]\n')

    @pytest.mark.parametrize(
        ("section", "key", "value"),
        [
            ("database", "url", '"mysql://host/name"'),
            ("database", "url", '"sqlite://"'),
            ("database", "url", '"sqlite:///:memory:"'),
            ("database", "url", '"postgresql://host"'),
            ("database", "durability", '"off"'),
            ("graph", "base_url", '"graph.microsoft.com"'),
            ("graph", "base_url", '"http://graph.example.org/v1.0"'),
            ("graph", "base_url", '"https://me:secret@graph.example.org"'),
            ("graph", "authority", '"http://login.example.org"'),
            ("graph", "credential", '"password"'),
            ("graph", "requests_per_mailbox", "5"),
            ("graph", "requests_per_mailbox", "0"),
            ("graph", "http_client", '"curl"'),
            ("web", "port", "true"),
            ("web", "port", "1.5"),
            ("web", "public_url", '"http://rooms.example.org"'),
            ("web", "public_url", '"https://rooms.example.org?x=1"'),
            ("rooms", "time_zone", '"Europe"'),
            ("rooms", "time_zone", '"Mars/Olympus"'),
            ("rooms", "time_zone", '"../etc/passwd"'),
            ("rooms", "ignored_tags", "3"),
            ("loans", "default_user", '"nobody"'),
            ("loans", "default_user", '"A B <a@example.org>"'),
            ("loans", "approval", '"perhaps"'),
            ("loans", "domains", '["example"]'),
            ("loans", "text_level", '"none"'),
            ("sync", "mass_cancel_percent", "101"),
            ("sync", "delivery", '"pull"'),
            ("sync", "first_contact", '"ask"'),
            ("sync", "compare_at", '"0٢:30"'),
            ("fields", "custom", '"Store"'),
            ("simulator", "seed", "-1"),
        ],
    )
    def test_is_refused(self, section, key, value):
        """Each of these is one fault, which names the key and says what it must be."""
        message = fault(f"[{section}]\n{key} = {value}\n")

        assert message.startswith(f"[{section}] {key} = ")
        assert "(settings.toml): must be " in message


class TestGoodValues:
    def test_lists_may_be_strings_with_commas(self):
        environ = {
            "ENGINE_ROOMS__IGNORED_TAGS": " private, lab ,,",
            "ENGINE_LOANS__DOMAINS": "Example.org,@example.com",
        }

        settings = load_settings(None, environ)

        assert settings.rooms.ignored_tags == ("private", "lab")
        assert settings.loans.domains == ("example.org", "example.com")

    def test_lists_may_be_lists(self):
        settings = load_settings(written('[rooms]\nignored_tags = ["private, old", "lab"]\n'), {})

        assert settings.rooms.ignored_tags == ("private, old", "lab")

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
    def test_postgresql_gets_its_driver(self, scheme):
        settings = load_settings(None, {"ENGINE_DATABASE__URL": f"{scheme}://me:secret@host:5432/accord"})

        assert settings.database.url == "postgresql+psycopg://me:secret@host:5432/accord"

    def test_a_slash_at_the_end_of_an_address_is_dropped(self):
        settings = load_settings(None, {"ENGINE_GRAPH__BASE_URL": "https://graph.example.org/v1.0/"})

        assert settings.graph.base_url == "https://graph.example.org/v1.0"

    def test_switches_may_be_words(self):
        settings = load_settings(None, {"ENGINE_LOANS__APPROVAL": "true", "ENGINE_SIMULATOR__DEMO": "0"})

        assert settings.loans.approval is True
        assert settings.simulator.demo is False

    def test_the_simulated_tenant_may_live_in_memory(self):
        assert load_settings(None, {"ENGINE_SIMULATOR__STATE_FILE": ""}).simulator.state_file == ""

    @pytest.mark.parametrize(
        ("host", "public_url", "expected"),
        [
            ("127.0.0.1", "", "http://127.0.0.1:8500"),
            ("::1", "", "http://[::1]:8500"),
            ("0.0.0.0", "", "http://127.0.0.1:8500"),
            ("0.0.0.0", "https://rooms.example.org/", "https://rooms.example.org"),
            ("0.0.0.0", "http://localhost:99", "http://localhost:99"),
        ],
    )
    def test_the_public_address_is_given_or_made_of_host_and_port(self, host, public_url, expected):
        settings = load_settings(None, {"ENGINE_WEB__HOST": host, "ENGINE_WEB__PUBLIC_URL": public_url})

        assert settings.web.public_url_for(8500) == expected

    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            ("localhost", True),
            ("graph.localhost", True),
            ("127.8.9.1", True),
            ("::1", True),
            ("[::1]", True),
            ("localhost.example.org", False),
            ("127.0.0.1.example.org", False),
            ("0.0.0.0", False),
            ("10.0.0.1", False),
            ("", False),
        ],
    )
    def test_loopback_is_this_machine_and_nothing_like_it(self, host, expected):
        assert is_loopback(host) is expected


class TestSecrets:
    @pytest.mark.parametrize(("section", "key"), sorted(SECRETS))
    def test_are_refused_in_the_file_without_being_shown(self, section, key):
        message = fault(f'[{section}]\n{key} = "hunter2"\n')

        assert f"ENGINE_{section}__{key}".upper() in message
        assert "hunter2" not in message

    @pytest.mark.parametrize(
        "url", ["postgresql://me:hunter2@host/accord", "postgresql://me@host/accord?sslmode=require&password=hunter2"]
    )
    def test_a_database_password_is_refused_in_the_file(self, url):
        message = fault(f'[database]\nurl = "{url}"\n')

        assert "ENGINE_DATABASE__URL" in message
        assert "hunter2" not in message

    def test_a_bad_address_is_told_without_its_password(self):
        message = fault(ENGINE_DATABASE__URL="oracle://me:hunter2@host/accord?password=hunter2")

        assert "oracle://me:***@host" in message
        assert "hunter2" not in message

    def test_are_not_printed_with_the_settings(self):
        settings = load_settings(
            None,
            {"ENGINE_WEB__API_TOKEN": "hunter2", "ENGINE_DATABASE__URL": "postgresql://me:hunter2@host/accord"},
        )

        assert settings.web.api_token == SecretStr("hunter2")
        assert "hunter2" not in repr(settings)
        assert "hunter2" not in str(settings)


REAL = {"ENGINE_GRAPH__CREDENTIAL": "secret", "ENGINE_GRAPH__TENANT_ID": "t", "ENGINE_GRAPH__CLIENT_ID": "c"}


class TestRulesBetweenKeys:
    def test_a_fixed_token_needs_the_token(self):
        message = fault(ENGINE_GRAPH__CREDENTIAL="static_token", ENGINE_GRAPH__BASE_URL="http://127.0.0.1:1/v1.0")

        assert message.startswith("[graph] token (not set): is needed by credential = 'static_token'")

    def test_a_fixed_token_needs_loopback(self):
        message = fault(ENGINE_GRAPH__CREDENTIAL="static_token", ENGINE_GRAPH__TOKEN="hunter2")

        assert "[graph] base_url" in message
        assert "loopback" in message

    def test_a_fixed_token_on_loopback_is_fine(self):
        settings = load_settings(
            None,
            {
                "ENGINE_GRAPH__CREDENTIAL": "static_token",
                "ENGINE_GRAPH__TOKEN": "hunter2",
                "ENGINE_GRAPH__BASE_URL": "http://localhost:8421/v1.0",
            },
        )

        assert settings.graph.token == SecretStr("hunter2")
        assert not settings.simulated

    def test_a_secret_needs_three_things(self):
        told = "\n".join(faults(ENGINE_GRAPH__CREDENTIAL="secret"))

        for key in ("tenant_id", "client_id", "client_secret"):
            assert f"[graph] {key}" in told

    def test_a_secret_may_come_from_a_file(self):
        Path("secret").write_text("hunter2\n")

        settings = load_settings(None, REAL | {"ENGINE_GRAPH__CLIENT_SECRET_FILE": "secret"})

        assert settings.graph.client_secret == SecretStr("hunter2")
        assert not settings.simulated

    def test_the_file_of_a_secret_may_be_named_in_the_settings_file(self):
        Path("secret").write_text("hunter2\n")

        settings = load_settings(written('[graph]\nclient_secret_file = "secret"\n'), REAL)

        assert settings.graph.client_secret == SecretStr("hunter2")

    def test_the_file_of_a_secret_must_hold_one(self):
        Path("empty").write_text("\n")

        for name in ("nowhere", "empty", "."):
            assert "client_secret_file" in fault(**REAL, ENGINE_GRAPH__CLIENT_SECRET_FILE=name)

    def test_a_secret_comes_from_one_place_only(self):
        Path("secret").write_text("hunter2\n")

        message = fault(**REAL, ENGINE_GRAPH__CLIENT_SECRET_FILE="secret", ENGINE_GRAPH__CLIENT_SECRET="hunter3")

        assert message.endswith("give the secret itself or its file, not both")
        assert "hunter" not in message

    def test_a_certificate_needs_its_file(self):
        environ = REAL | {"ENGINE_GRAPH__CREDENTIAL": "certificate"}

        assert "[graph] certificate_path" in fault(**environ)
        assert "must be a file that exists" in fault(**environ, ENGINE_GRAPH__CERTIFICATE_PATH="nowhere.pem")
        Path("here.pem").write_text("")
        settings = load_settings(None, environ | {"ENGINE_GRAPH__CERTIFICATE_PATH": "here.pem"})
        assert settings.graph.certificate_path == "here.pem"

    def test_a_managed_identity_needs_nothing(self):
        assert not load_settings(None, {"ENGINE_GRAPH__CREDENTIAL": "managed_identity"}).simulated

    def test_a_rule_is_silent_about_a_key_that_is_bad_already(self):
        """The bad base_url is told once, not a second time for being no loopback address."""
        message = fault(
            ENGINE_GRAPH__CREDENTIAL="static_token", ENGINE_GRAPH__TOKEN="x", ENGINE_GRAPH__BASE_URL="nonsense"
        )

        assert message.startswith("[graph] base_url = 'nonsense'")
