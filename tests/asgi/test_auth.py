"""Who is let in: the one user of this machine, or the bearer of a token."""

import itertools
import re
from datetime import UTC, datetime, timedelta
from functools import cache

import httpx
import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request

from imagegallery import ConfigurationError, Forbidden, ImageGallery, Principal, Role, Settings
from imagegallery.http_options import JwtOptions
from imagegallery_asgi import create_app, jwt, single_user
from imagegallery_asgi.framework.context import API_PREFIX, Authenticate
from imagegallery_asgi.framework.errors import InvalidToken
from imagegallery_asgi.framework.operations import Operation
from imagegallery_asgi.routes import EVERYTHING, OPERATIONAL, OPERATIONS, WEBSITE
from imagegallery_asgi.server import authentication

KEY = "a secret of at least thirty-two bytes"
LOCAL = {"Host": "127.0.0.1:8000"}


def request(method: str = "GET", client: str | None = "127.0.0.1", **headers: str) -> Request:
    named = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {"type": "http", "method": method, "headers": named, "client": (client, 1) if client else None, "path": "/"}
    )


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:80", "[::1]:8000", "127.9.9.9"])
@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_the_user(host: str, client: str) -> None:
    assert single_user("ada")(request(client=client, Host=host)) == Principal.user("ada", role=Role.ADMIN)


@pytest.mark.parametrize(
    "asked",
    [
        request(client="192.168.0.7", **LOCAL),
        request(client=None, **LOCAL),
        request(client="unix", **LOCAL),
        request(Host="evil.example:8000"),
        request(Host="localhost.evil.example"),
        request(Host="127.0.0.1.evil.example"),
        request(Host="[::1"),
        request(),
        request(X_Forwarded_For="10.0.0.1", **LOCAL),
        request(Forwarded="for=10.0.0.1", **LOCAL),
        request("POST", Origin="https://evil.example", **LOCAL),
        request("POST", Origin="null", **LOCAL),
        request("POST", Origin="http://localhost.evil.example", **LOCAL),
        request("DELETE", Sec_Fetch_Site="cross-site", **LOCAL),
        request("PATCH", Sec_Fetch_Site="cross-site", Origin="http://localhost:8000", **LOCAL),
    ],
)
def test_nobody_else_is(asked: Request) -> None:
    with pytest.raises(Forbidden):
        single_user()(asked)


@pytest.mark.parametrize(
    "asked",
    [
        request("POST", **LOCAL),
        request("POST", Origin="http://127.0.0.1:8000", Sec_Fetch_Site="same-origin", **LOCAL),
        request("POST", Origin="http://localhost:5173", Sec_Fetch_Site="same-site", **LOCAL),
        request("GET", Sec_Fetch_Site="cross-site", **LOCAL),  # an <img>; the page cannot read it
    ],
)
def test_its_own_pages_and_programs_are(asked: Request) -> None:
    assert single_user()(asked) == Principal.user("owner", role=Role.ADMIN)


PAGE = "https://photos.example"
CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}


def test_a_page_that_is_named_is_trusted() -> None:
    trusting = single_user(cors_origins=[PAGE])
    assert trusting(request("POST", Origin=PAGE, Sec_Fetch_Site="cross-site", **LOCAL)).user_id == "owner"
    for origin in ("https://evil.example", f"{PAGE}.evil.example", "null"):
        with pytest.raises(Forbidden):
            trusting(request("POST", Origin=origin, Sec_Fetch_Site="cross-site", **LOCAL))


@cache
def without_sign_in() -> Starlette:
    return create_app(ImageGallery.open(Settings.embedded("nowhere")), cors_origins=[PAGE], operations=EVERYTHING)


async def ask(operation: Operation, **headers: str) -> httpx.Response:
    """The operation itself without sign-in, with nothing behind it: 500 is what gets through."""
    prefix = "" if operation in (*OPERATIONAL, *WEBSITE) else API_PREFIX
    path = re.sub(r"{\w+(:path)?}", "0", operation.path)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(without_sign_in()), base_url="http://127.0.0.1:8000"
    ) as client:
        return await client.request(operation.method, prefix + path, headers=headers)


EVERY = (*OPERATIONS, *OPERATIONAL, *WEBSITE)


@pytest.mark.parametrize("operation", EVERY, ids=lambda each: f"{each.method} {each.path}")
async def test_no_operation_answers_to_the_name_of_another_site(operation: Operation) -> None:
    assert (await ask(operation, Host="evil.example:8000")).status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_probes_may_come_by_address(path: str) -> None:
    operation = next(each for each in OPERATIONAL if each.path == path)
    for host in ("10.0.0.7:8000", "[fd00::7]:8000", "localhost", ""):
        assert (await ask(operation, Host=host)).status_code != 403


CHANGES = [each for each in OPERATIONS if not each.is_safe]


@pytest.mark.parametrize("operation", CHANGES, ids=lambda each: f"{each.method} {each.path}")
async def test_no_operation_changes_anything_for_another_site(operation: Operation) -> None:
    assert (await ask(operation, **CROSS_SITE)).status_code == 403
    assert (await ask(operation, Origin="https://evil.example", **CROSS_SITE)).status_code == 403
    assert (await ask(operation, Origin=PAGE, **CROSS_SITE)).status_code != 403


def test_what_begins_or_ends_something_with_a_get_is_no_safe_operation() -> None:
    assert {each.path for each in CHANGES if each.method == "GET"} == {
        "/uploads/uppy/s3/params",
        "/uploads/uppy/s3/multipart/{upload_id}/batch",
        "/uploads/uppy/s3/multipart/{upload_id}/{number}",
        "/uploads/{upload_id}/resumable",
    }


def bearing(scheme: str = "Bearer", /, **claims: object) -> Request:
    token = pyjwt.encode({"exp": datetime.now(UTC) + timedelta(minutes=1), **claims}, KEY, "HS256")
    return request(Authorization=f"{scheme} {token}")


def test_a_valid_token_names_its_user() -> None:
    assert jwt(KEY)(bearing(sub="ada")) == Principal.user("ada")
    assert jwt(KEY, audience="photos")(bearing(sub="ada", aud="photos")) == Principal.user("ada")
    assert jwt(KEY)(bearing(sub="a" * 255)) == Principal.user("a" * 255)
    assert jwt(KEY)(request()) is None


UNKNOWN_ROLES: tuple[object, ...] = ("member", "Admin", "ADMIN", "admin ", "", "root", 2, True, None, [], {})


@pytest.mark.parametrize(
    ("claim", "role"),
    [
        ("admin", Role.ADMIN),
        ("moderator", Role.MODERATOR),
        (["editor", "moderator", "member"], Role.MODERATOR),
        (["admin", 7, None, {}], Role.ADMIN),
        *((other, Role.MEMBER) for other in UNKNOWN_ROLES),
    ],
)
def test_a_role_is_what_its_claim_says_and_nothing_without_one_that_is_named(claim: object, role: Role) -> None:
    asked = bearing(sub="ada", role=claim)
    assert jwt(KEY, role_claim="role")(asked) == Principal.user("ada", role=role)
    assert jwt(KEY)(asked) == Principal.user("ada"), "many issuers have roles, with meanings of their own"
    assert jwt(KEY, role_claim="https://photos.example/roles")(asked) == Principal.user("ada")


def test_the_command_reads_what_the_settings_name() -> None:
    named = JwtOptions(key=KEY, role_claim="https://photos.example/role", groups_claim="teams")
    claims = {"https://photos.example/role": "admin", "role": "moderator", "teams": ["club"], "groups": ["others"]}
    known = authentication(Settings(jwt=named))(bearing(sub="ada", **claims))
    assert known == Principal.user("ada", role=Role.ADMIN, groups=["club"])
    plain = authentication(Settings(jwt=JwtOptions(key=KEY)))
    assert plain(bearing(sub="ada", **claims)) == Principal.user("ada", groups=["others"])


@pytest.mark.parametrize(
    ("claims", "emails"),
    [
        ({"email": "Ada@Example.com", "email_verified": True}, {"ada@example.com"}),
        ({"email": "ada@example.com", "email_verified": "true"}, {"ada@example.com"}),
        ({"email": "ada@example.com"}, set()),
        ({"email": "ada@example.com", "email_verified": False}, set()),
        ({"email": "ada@example.com", "email_verified": "false"}, set()),
        ({"email": "ada@example.com", "email_verified": [True]}, set()),
        ({"email": 7, "email_verified": True}, set()),
        ({"email_verified": True}, set()),
    ],
)
def test_an_address_counts_only_if_it_was_verified(claims: dict[str, object], emails: set[str]) -> None:
    assert jwt(KEY)(bearing(sub="ada", **claims)) == Principal.user("ada", emails=emails)


def test_groups_come_from_their_claim() -> None:
    asked = bearing(sub="ada", groups=["family", "", 7, "club"], teams="work")
    assert jwt(KEY)(asked) == Principal.user("ada", groups=["family", "club"])
    assert jwt(KEY, groups_claim="teams")(asked) == Principal.user("ada", groups=["work"])


@pytest.mark.parametrize("exp", [1e10, 1e30])
def test_a_token_that_lasts_for_ages_is_valid(exp: float) -> None:
    known = jwt(KEY)(bearing(sub="ada", exp=exp))
    assert isinstance(known, Principal)
    assert known.expires_at is not None
    assert known.expires_at.year > 2200


@pytest.mark.parametrize(
    ("authenticate", "asked"),
    [
        (jwt(KEY), bearing(sub="ada", exp=float("inf"))),
        (jwt(KEY), bearing(sub="ada", exp=datetime.now(UTC) - timedelta(hours=1))),
        (jwt(KEY), bearing()),
        (jwt(KEY), bearing(sub="")),
        (jwt(KEY), bearing(sub="a\0")),
        (jwt(KEY), bearing(sub="a" * 256)),
        (jwt(KEY), bearing(sub="a\nb")),
        (jwt(KEY), bearing(sub="a\u200bb")),
        (jwt(KEY + "!"), bearing(sub="ada")),
        (jwt(KEY, audience="photos"), bearing(sub="ada")),
        (jwt(KEY, audience="photos"), bearing(sub="ada", aud="bank")),
        (jwt(KEY, issuer="us"), bearing(sub="ada", iss="them")),
        (jwt(KEY * 2, ["HS512"]), bearing(sub="ada")),
        (jwt(KEY), request(Authorization="Bearer nonsense")),
        (jwt(KEY), request(Authorization="Bearer")),
        *((jwt(KEY), bearing(scheme, sub="ada")) for scheme in ("Basic", "Digest", "Token", "JWT", "BearerX", "")),
        (jwt(KEY), request(Authorization="Basic YTpi")),
        (jwt(KEY), request(Authorization=f"Bearer {pyjwt.encode({'sub': 'ada'}, KEY, 'HS256')}")),
        (jwt(KEY), request(Authorization=f"Bearer {pyjwt.encode({'sub': 'ada', 'exp': 9e9}, '', 'none')}")),
    ],
)
def test_any_other_token_is_refused(authenticate: Authenticate, asked: Request) -> None:
    with pytest.raises(InvalidToken):
        authenticate(asked)


def pem(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    public = private.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


RSA, CURVE = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
PRIVATE = CURVE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("key", "algorithms", "said"),
    [
        ("", ["HS256"], "is empty"),
        (" ", ["HS256"], "is empty"),
        (KEY, [], "need an algorithm"),
        (KEY, ["HS256", "None"], "'None' is no algorithm"),
        (KEY, ["none"], "'none' is no algorithm"),
        (KEY, [""], "'' is no algorithm"),
        (KEY, ["HS257"], "'HS257' is no algorithm"),
        (KEY, ["hs256"], "'hs256' is no algorithm"),
        ("x" * 31, ["HS256"], "at least 32 bytes"),
        ("x" * 47, ["HS256", "HS384"], "at least 48 bytes"),
        ("x" * 63, ["HS512"], "at least 64 bytes"),
        (KEY, ["HS256", "RS256"], "No key fits all of HS256, RS256"),
        (pem(RSA), ["HS256", "RS256"], "No key fits all of"),
        (pem(RSA), ["RS256", "ES256"], "No key fits all of"),
        (pem(RSA), ["HS256"], "the key is a PEM"),
        (pem(RSA), ["ES256"], "does not fit ES256"),
        (pem(RSA), ["EdDSA"], "does not fit EdDSA"),
        (pem(CURVE), ["RS256"], "does not fit RS256"),
        (pem(CURVE), ["ES384"], "does not fit ES384"),
        (KEY, ["RS256"], "does not fit RS256"),
        (PRIVATE, ["ES256"], "is a private one"),
        (pem(rsa.generate_private_key(65537, 1024)), ["RS256"], "at least 2048 bits"),
    ],
    ids=itertools.count(),  # keys are new in each process, and what names a test must not be
)
def test_what_verifies_nothing_or_not_safely_is_refused_at_once(key: str, algorithms: list[str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        jwt(key, algorithms)
    assert not key.strip() or key not in str(caught.value)


@pytest.mark.parametrize("options", [{"audience": ""}, {"issuer": ""}])
def test_an_empty_audience_or_issuer_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="must not be empty"):
        jwt(KEY, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("private", "algorithms"),
    [(RSA, ["RS256", "PS256"]), (CURVE, ["ES256"]), (ED, ["EdDSA"])],
    ids=["RSA", "curve", "Edwards"],
)
def test_a_public_key_verifies_what_its_own_algorithms_have_signed(
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, algorithms: list[str]
) -> None:
    for algorithm in algorithms:
        claims = {"exp": datetime.now(UTC) + timedelta(minutes=1), "sub": "ada"}
        token = pyjwt.encode(claims, private, algorithm)
        asked = request(Authorization=f"Bearer {token}")
        assert jwt(pem(private), algorithms)(asked) == Principal.user("ada")
