"""Who may call what: every console page names its permission, and what is public is a short list."""

from fastapi.routing import APIRoute

from admin import router as console
from admin.pages import Need
from bot import lookup_page, public, station_pages, tip_pages, webchat
from office.staff import GRANTS, Permission

PUBLIC_CONSOLE = {
    ("GET", "/admin/sign-in"),
    ("POST", "/admin/sign-in"),
    ("GET", "/admin/invite/{token}"),
    ("POST", "/admin/invite/{token}"),
    ("POST", "/admin/settings"),
}
# Pages of any signed-in person: one's own account, going somewhere by name, the sheets of keys and design.
SIGNED_IN = {
    ("POST", "/admin/sign-out"),
    ("GET", "/admin/me"),
    ("POST", "/admin/me/sign-ins/{sign_in_id}/end"),
    ("POST", "/admin/me/sign-ins/end"),
    ("GET", "/admin/design"),
    ("GET", "/admin/go"),
    ("GET", "/admin/go/list"),
    ("GET", "/admin/keys"),
    ("GET", "/admin/notices"),
    ("POST", "/admin/notices/read"),
}
PUBLIC = {
    ("GET", "/"),
    ("GET", "/chat/mailbox"),
    ("GET", "/chat/stream"),
    ("GET", "/entries"),
    ("GET", "/entries/{entry_no}"),
    ("GET", "/healthz"),
    ("GET", "/lookup"),
    ("GET", "/lookup/cleared"),
    ("GET", "/lookup/form"),
    ("GET", "/lookup/{token}"),
    ("GET", "/privacy"),
    ("GET", "/stations"),
    ("GET", "/stations/{address}"),
    ("GET", "/tips"),
    ("GET", "/tips/r/{token}"),
    ("GET", "/tips/{year}-{issue_no}"),
    ("GET", "/tips/{year}/{issue_no}"),
    ("POST", "/chat/end"),
    ("POST", "/chat/messages"),
    ("POST", "/chat/size"),
    ("POST", "/language"),
    ("POST", "/lookup/check"),
    ("POST", "/lookup/help"),
    ("POST", "/lookup/open"),
    ("POST", "/tips/r/{token}/read"),
}


def needs(dependant):
    """The permissions that a route's dependencies ask for."""
    for inner in dependant.dependencies:
        if isinstance(inner.call, Need):
            yield inner.call.permission
        yield from needs(inner)


def listed(routes, prefix=""):
    """Method, address and demanded permissions of every route, through included routers."""
    for route in routes:
        if isinstance(route, APIRoute):
            for method in route.methods:
                yield (method, prefix + route.path), list(needs(route.dependant))
        elif inner := getattr(route, "original_router", None):
            yield from listed(inner.routes, prefix + route.include_context.prefix)
        else:
            raise AssertionError(f"a route of an unknown kind: {route!r}")


def of_console():
    return dict(listed(console.build().routes))


def test_every_console_route_declares_a_permission_or_is_public():
    found = of_console()
    assert len(found) > 30
    assert {route for route, permissions in found.items() if not permissions} == PUBLIC_CONSOLE


def test_only_ones_own_pages_ask_for_a_sign_in_alone():
    assert {route for route, permissions in of_console().items() if permissions == [None]} == SIGNED_IN


def test_every_permission_guards_a_route_and_is_granted_to_a_role():
    used = {permission for permissions in of_console().values() for permission in permissions}
    assert used == {*Permission, None}
    assert set().union(*GRANTS.values()) == set(Permission)


def test_nobody_holds_both_halves_of_the_work_alone():
    """Who administers accounts gets no ticket through that role, and no single role drafts and publishes."""
    drafting, publishing = Permission.DRAFT_ENTRIES, Permission.PUBLISH_ENTRIES
    assert not [role for role, held in GRANTS.items() if {drafting, publishing} <= held]
    assert not [
        role for role, held in GRANTS.items() if {Permission.MANAGE_STAFF, Permission.SEE_TICKETS} <= held
    ]


def test_the_public_side_is_the_short_list():
    parts = (webchat, public, station_pages, lookup_page, tip_pages)
    assert set(dict(listed([route for part in parts for route in part.router.routes]))) == PUBLIC
