"""A plan that waits for a yes: shown as it was asked for, approved or refused, and applied."""

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from canonical.change import Plan
from sync.report import Report
from sync.state.approvals import Approvals, NotApproved
from sync.state.approvals import Request as Asked
from sync.watch import Watch
from trueup.approved import approved_text, asked_text, became_text, rejected_text
from trueup.endings import lines_of
from trueup.plan_pages import told
from trueup.web.doing import begin, busy, going_on
from trueup.web.person import approver
from trueup.web.site import Site, paging_of
from trueup.workspace import Workspace

_SIZE = 100


def routes(site: Site) -> list[Route]:
    """Its addresses."""
    at = "/approvals/{plan_id}"
    return [
        Route(at, partial(_shown, site)),
        Route(f"{at}/approve", partial(_approve, site), methods=["POST"]),
        Route(f"{at}/reject", partial(_reject, site), methods=["POST"]),
        Route(f"{at}/apply", partial(_apply, site), methods=["POST"]),
    ]


def _shown(site: Site, request: Request) -> Response:
    site.store  # noqa: B018  # a state that has gone is told as that
    try:
        asked, plan = site.workspace.waiting_plan(str(request.path_params["plan_id"]))
    except NotApproved as error:
        return site.page(request, "refused.html", 404, title="No such plan", why=lines_of(error))
    found = told(plan)
    paging = paging_of(request, _SIZE).of(len(found["entries"]))
    return site.page(
        request,
        "approval.html",
        **{**found, "entries": paging.cut(found["entries"]), "sections": _without_next(found)},
        paging=paging,
        asked=asked,
        said=_said(asked),
        waits=_is_open(site, asked) and asked.approved_at is None,
        stands=_is_open(site, asked) and asked.approved_at is not None,
        stop=site.workspace.stop_of(asked.sync),
        job=going_on(site, asked.sync),
    )


def _without_next(found: object) -> object:
    """What to do next is what the buttons do."""
    assert isinstance(found, dict)
    return {name: lines for name, lines in found["sections"].items() if name != "Next"}


def _said(asked: Asked) -> str:
    if asked.approved_at is None and asked.ended_at is None:
        return asked_text(asked)
    return became_text({"plan_id": asked.plan_id, "reason": asked.reason}, asked)


def _is_open(site: Site, asked: Asked) -> bool:
    return asked.ended_at is None and asked.until > site.store.now()


# -- what people say -----------------------------------------------------------------------------


def _approve(site: Site, request: Request) -> Response:
    def say(workspace: Workspace, plan_id: str, name: str, note: str | None) -> str:
        return approved_text(workspace.approve(plan_id, name=name, note=note))

    return _say(site, request, say)


def _reject(site: Site, request: Request) -> Response:
    def say(workspace: Workspace, plan_id: str, name: str, note: str | None) -> str:
        return rejected_text(workspace.reject(plan_id, name=name, note=note))

    return _say(site, request, say)


def _say(
    site: Site, request: Request, say: Callable[[Workspace, str, str, str | None], str]
) -> Response:
    """As `trueup approve` and `reject`: whoever sees the terminal may say whose word it is."""
    person, form = approver(request), request.state.form
    plan_id, store = str(request.path_params["plan_id"]), site.store
    asked = Approvals(store).get(plan_id)
    typed = str(form.get("name") or "").strip() if person.is_local else ""
    note = str(form.get("note") or "").strip() or None
    try:
        if asked is None:
            raise NotApproved("there is no such plan any more")
        said = say(site.workspace.acting(person.name), plan_id, typed or person.name, note)
    except NotApproved as error:
        site.notices.tell(request, lines_of(error), refusal=True)
    else:
        site.notices.tell(request, said)
    return RedirectResponse(f"/approvals/{plan_id}" if asked else "/waiting", 303)


# -- applying what was approved ------------------------------------------------------------------


def _apply(site: Site, request: Request) -> Response:
    """As `trueup run`, of nothing but what was approved."""
    plan_id = str(request.path_params["plan_id"])
    asked = Approvals(site.store).get(plan_id)
    if asked is None:
        site.notices.tell(request, "there is no such plan any more", refusal=True)
        return RedirectResponse("/waiting", 303)
    what = f"what was approved of the plan {asked.id}"
    if (follow := busy(site, request, asked.sync, what)) is not None:
        return follow
    if not _is_open(site, asked) or asked.approved_at is None:
        site.notices.tell(request, f"nothing was begun: {_said(asked)}", refusal=True)
        return RedirectResponse(f"/approvals/{plan_id}", 303)

    def do(workspace: Workspace, watch: Watch) -> Report:
        def still(_: Plan) -> bool:
            found = Approvals(workspace.store).standing(asked.sync)
            return found is not None and found.plan_id == plan_id

        return workspace.apply(asked.sync, approve=still, command="run", watch=watch)

    return begin(site, request, asked.sync, what, do)
