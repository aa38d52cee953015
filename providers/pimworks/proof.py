"""What is proved before PIMworks gets a key: SAVE starts moving data at once, so afterwards is too late (pimworks.md 5, 6).

Nothing here changes anything: resources are read one entry at a time, and the right to write shows at a route that does not
exist (woocommerce.md 7.2, step 3). An answer that shows nothing raises: what was not proved is not handed over.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from providers.core.contract import RECOGNISED, Finding
from providers.core.errors import Incident, Transient, Unexpected
from providers.core.http import Answer, Origin, Text
from providers.core.texts import shown
from providers.pimworks.resources import RESOURCES
from providers.woocommerce.api import Index, KeyPair, Rest, reply
from providers.woocommerce.verification import MAY_WRITE, Permission, Standing, permission, standing

PERMALINKS: Final = "permalinks"
HOME: Final = "home address"
"""What may trouble PIMworks, though the key works: whether it does is unknown (section 6)."""


def findings(
    origin: Origin, rest: Rest, pair: KeyPair, components: Iterable[str], *, writes: bool
) -> Sequence[Finding]:
    """Whether a key serves a sync of these resources, at a store that `rest` calls."""
    index = rest.index()
    recognised = _recognised(rest, index, pair)
    if recognised.verdict != "confirmed":
        return (recognised,)
    found = [recognised, *(_component(origin, index, pair, resource) for resource in components)]
    if writes:
        found.append(_may_write(rest, index, pair))
    return (*found, *_troubles(origin, index))


def _recognised(rest: Rest, index: Index, pair: KeyPair) -> Finding:
    get = rest.ask("GET", index.products, pair)
    shows = standing(get, lambda: rest.ask("OPTIONS", index.products, pair))
    evidence = f"GET products: {get}: {shows.value}"
    if shows is Standing.UNKNOWN:
        raise Unexpected(f"the store's answer to the key is none that is known: {get}")
    return Finding(RECOGNISED, "confirmed" if shows is Standing.READS else "contradicted", evidence)


def _component(origin: Origin, index: Index, pair: KeyPair, resource: str) -> Finding:
    answer = _get(origin, f"{index.root}{index.version}/{resource}", pair)
    said = reply(answer)
    check = f"component {resource}"
    match said.status:
        case 200:
            return Finding(check, "confirmed", f"GET {resource}: 200{_total(answer)}")
        case 404:
            since = RESOURCES[resource].since
            first = f", which has it from {since} on" if since > index.version else ""
            words = f"GET {resource}: {said}: this store ({index.version}) has no such resource{first}"
            return Finding(check, "contradicted", words)
        case 401:
            return Finding(check, "contradicted", f"GET {resource}: {said}: the key's permission does not allow it")
        case 403:
            return Finding(check, "contradicted", f"GET {resource}: {said}: the role of its user does not allow it")
    raise Unexpected(f"the store's answer to GET {resource} is none that is known: {said}", where=origin.where)


def _get(origin: Origin, path: str, pair: KeyPair) -> Answer:
    query: dict[str, Text] = {"per_page": 1}
    auth: tuple[Text, Text] | None = (pair.consumer_key, pair.consumer_secret)
    if pair.in_query:
        query |= {"consumer_key": pair.consumer_key, "consumer_secret": pair.consumer_secret}
        auth = None
    answer = origin.request("GET", path, query=query, auth=auth, safe=True)
    if answer.status >= 500:
        raise Transient(f"the store's API answers {answer.status}", do="Try later", where=origin.where)
    return answer


def _total(answer: Answer) -> str:
    total = answer.headers.get("x-wp-total", "")
    return f", {shown(total)} there" if total.isdecimal() else ""


def _may_write(rest: Rest, index: Index, pair: KeyPair) -> Finding:
    said = rest.ask("POST", index.nowhere, pair)
    match permission(said):
        case Permission.WRITES:
            return Finding(MAY_WRITE, "confirmed", f"POST to a missing route: {said}: its permission allows writing")
        case Permission.DENIED:
            return Finding(
                MAY_WRITE, "contradicted", f"POST to a missing route: {said}: its permission allows reading only"
            )
        case Permission.INCIDENT:
            raise Incident("the store carried out a probe that was to reach nothing", do="Look at the store first")
    raise Unexpected(f"the store's answer to the write probe is none that is known: {said}")


def _troubles(origin: Origin, index: Index) -> Iterator[Finding]:
    if index.root != "/wp-json/":
        words = f"the API is at {index.root}: whether PIMworks finds it there is unknown; better choose `Post name`"
        yield Finding(PERMALINKS, "unverifiable", words)
    if index.home.rstrip("/") != origin.url:
        words = f"the store calls itself {shown(index.home) or 'nothing'}: whether PIMworks copes is unknown"
        yield Finding(HOME, "unverifiable", words)
