"""One request to one site: WordPress's sessions and nonces, and beside them the site's options and plugins."""

from __future__ import annotations

import json
from typing import Any

from sandbox.exchange import VendorRequest
from sandbox.vendor import Call
from sandbox.woocommerce.rest_replies import RestError
from sandbox.woocommerce.visit import Visit
from sandbox.wordpress.state import Site, Sites


class SiteVisit(Visit):
    """A request with the site it is for."""

    def __init__(self, sites: Sites, site: Site, request: VendorRequest, server_url: str, call: Call) -> None:
        super().__init__(sites.state, sites.store(site), request, server_url)
        self.sites = sites
        self.site = site
        self.call = call

    @property
    def namespaces(self) -> tuple[str, ...]:
        """WooCommerce's, and SureCart's if it is active."""
        own = ("surecart/v1",) if self.site.settings.surecart else ()
        return (*super().namespaces, *own)

    @property
    def application_passwords_available(self) -> bool:
        """On HTTPS, or anywhere on a local site; unless something has switched them off."""
        return self.site.settings.application_passwords and (self.ssl or self.site.settings.environment == "local")

    def keep(self) -> None:
        """Write the site through."""
        self.sites.keep(self.site)

    def parameters(self) -> dict[str, Any]:
        """The parameters of a REST request: the query, over it a form, over it a JSON object."""
        request = self.request
        given: dict[str, Any] = dict(request.query)
        if request.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
            return given | request.form
        if not request.body:
            return given
        try:
            document = json.loads(request.body)
        except ValueError:
            raise RestError("rest_invalid_json", "Invalid JSON body passed.", 400) from None
        return given | (document if isinstance(document, dict) else {})
