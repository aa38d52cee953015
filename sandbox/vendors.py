"""The platforms of the sandbox. Another one is added with a line here."""

from __future__ import annotations

from sandbox.bigcommerce.application import BigCommerce
from sandbox.coopcycle.application import CoopCycle
from sandbox.mail.application import Mail
from sandbox.pimworks.application import Pimworks
from sandbox.stackone.application import StackOne
from sandbox.stone_edge.application import StoneEdge
from sandbox.surecart.application import SureCart
from sandbox.vendor import Surroundings, Vendor
from sandbox.woocommerce.application import WooCommerce
from sandbox.wordpress.application import WordPress


def all_vendors(surroundings: Surroundings) -> tuple[Vendor, ...]:
    """Every platform. The first that knows the first path segment answers: those with hosts of their own come before
    WooCommerce, whose stores may have any name."""
    return (
        BigCommerce(surroundings),
        CoopCycle(surroundings),
        Pimworks(surroundings),
        StackOne(surroundings),
        StoneEdge(surroundings),
        Mail(surroundings),
        SureCart(surroundings),
        WordPress(surroundings),
        WooCommerce(surroundings),
    )
