"""Whether a key and algorithms can verify tokens safely, checked once at the start."""

from collections.abc import Sequence

from jwt.algorithms import get_default_algorithms, requires_cryptography
from jwt.exceptions import PyJWTError

from imagegallery import ConfigurationError

_MIN_RSA_BITS = 2048
# RFC 7518 section 3.2: a key is at least as long as the hash.
_MIN_SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
# What a key of each kind can verify. With one algorithm more, a public key might be taken for a secret that everybody
# knows.
_FAMILIES = (
    frozenset(_MIN_SECRET_BYTES),
    frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    frozenset({"ES256"}),
    frozenset({"ES256K"}),
    frozenset({"ES384"}),
    frozenset({"ES512", "ES521"}),
    frozenset({"EdDSA"}),
)
_CURVES = {
    "ES256": "secp256r1",
    "ES256K": "secp256k1",
    "ES384": "secp384r1",
    "ES512": "secp521r1",
    "ES521": "secp521r1",
}


def check_key(key: str, algorithms: Sequence[str]) -> None:
    """``key`` is a shared secret, or a public key as PEM. Raises `ConfigurationError`, which never quotes it."""
    if not key.strip():
        raise ConfigurationError("The key that tokens are verified with is empty.")
    _check_algorithms(algorithms)
    for algorithm in algorithms:
        if algorithm in _MIN_SECRET_BYTES:
            _check_secret(key, algorithm)
        else:
            _check_public_key(key, algorithm)


def _check_algorithms(algorithms: Sequence[str]) -> None:
    if not algorithms:
        raise ConfigurationError("Tokens need an algorithm to be verified with, such as HS256 or RS256.")
    known = sorted(frozenset().union(*_FAMILIES))
    for algorithm in algorithms:
        if algorithm not in known:
            raise ConfigurationError(f"{algorithm!r} is no algorithm for tokens; there are {', '.join(known)}.")
    if not any(family.issuperset(algorithms) for family in _FAMILIES):
        raise ConfigurationError(f"No key fits all of {', '.join(algorithms)}: name algorithms of one kind.")


def _check_secret(key: str, algorithm: str) -> None:
    least = _MIN_SECRET_BYTES[algorithm]
    if len(key.encode()) < least:
        raise ConfigurationError(f"The key for {algorithm} must have at least {least} bytes.")
    if "-----BEGIN" in key:
        raise ConfigurationError(f"{algorithm} needs a shared secret, and the key is a PEM: name its own algorithm.")


def _check_public_key(key: str, algorithm: str) -> None:
    verifiers = get_default_algorithms()
    if algorithm not in verifiers and algorithm in requires_cryptography:
        raise ConfigurationError(f"{algorithm} needs more than is installed: pip install cryptography")
    if "PRIVATE KEY" in key:
        raise ConfigurationError("The key is a private one: verifying takes the public one, and nobody else's secret.")
    try:
        public: object = verifiers[algorithm].prepare_key(key)
    except (PyJWTError, ValueError, TypeError) as error:
        raise ConfigurationError(f"The key does not fit {algorithm}, which needs its public key as PEM.") from error
    curve = getattr(getattr(public, "curve", None), "name", None)
    if curve != _CURVES.get(algorithm):
        raise ConfigurationError(f"The key does not fit {algorithm}: it is of another curve.")
    if getattr(public, "key_size", _MIN_RSA_BITS) < _MIN_RSA_BITS and curve is None:
        raise ConfigurationError(f"The key for {algorithm} must have at least {_MIN_RSA_BITS} bits.")
