"""The names by which unmodified programs know vendors, and which lead to the tap inside a lab's network."""

from collections.abc import Mapping
from types import MappingProxyType

from harness.core.problems import Problem, StackError
from harness.core.stack import Stack
from harness.lab.environment import ERP_ACCOUNT
from harness.lab.vendors import Vendor

# A shop has a name of its own: others stand in the stack.
USUAL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "shopify": ("acme.myshopify.com",),
        "stripe": ("api.stripe.com",),
        "netsuite": (f"{ERP_ACCOUNT.lower().replace('_', '-')}.suitetalk.api.netsuite.com",),
    }
)


def list_hosts(stack: Stack, vendors: Mapping[str, Vendor]) -> dict[str, str]:
    """
    List the systems of a lab by host name: what the stack says, then what the vendors are usually called.

    Raises StackError where two systems claim one name.
    """
    hosts: dict[str, str] = {}
    for name, system in stack.systems.items():
        for host in system.hosts if name in vendors else ():
            if hosts.setdefault(host, name) != name:
                place = system.location
                message = f"the host {host} is that of `{hosts[host]}` already"
                fix = "name each host at one system"
                raise StackError((Problem("hosts", message, place.file, place.line, place.column, fix=fix),))
    for name, vendor in vendors.items():
        for host in USUAL.get(vendor.fake, ()):
            hosts.setdefault(host, name)
    return hosts
