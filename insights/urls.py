"""Every address of the product. All of it needs a login, unless a view says it is public."""

from allauth.account import views as account_views
from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.http import require_safe

from customers import api, public_optin, public_preferences, public_unsubscribe
from customers.api_base import api as calls
from feedback import hosted, links_api, public, rated
from insights import (
    annotation_views,
    api_key_views,
    ask_views,
    colleague_views,
    customer_views,
    dose_views,
    hold_views,
    import_views,
    invalidation_views,
    involvement_views,
    mailing_views,
    message_views,
    own_page_views,
    own_shop_views,
    permission_views,
    policy_views,
    rights_views,
    settings_views,
    touchpoint_views,
    views,
    wording_views,
)
from mailings import picks_api, provider

# What the floors above customers add to the API, before its addresses are asked for.
for router in (links_api.router, picks_api.router):
    calls.add_router("", router)

# The admin has a login of its own that knows no second step and no throttle: use ours.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", views.overview, name="overview"),
    path("satisfaction/", views.satisfaction, name="satisfaction"),
    path("permission/", permission_views.permission_page, name="permission"),
    path(
        "permission/tables/<slug:name>.<slug:kind>",
        permission_views.permission_table,
        name="permission_table",
    ),
    path("tables/<slug:name>.<slug:kind>", views.table, name="table"),
    path("comments.csv", views.comments_csv, name="comments_csv"),
    path("comments.xlsx", views.comments_xlsx, name="comments_xlsx"),
    path("annotations/", annotation_views.annotations, name="annotations"),
    path("annotations/<int:pk>/", annotation_views.annotation, name="annotation"),
    path("annotations/<int:pk>/drop/", annotation_views.annotation_drop, name="annotation_drop"),
    path("customers/", customer_views.customers, name="customers"),
    # A reference is the shop's own, and may hold a slash.
    path("customers/<path:reference>/hold/", hold_views.hold, name="customer_hold"),
    path(
        "customers/<path:reference>/hold/<int:pk>/lift/",
        hold_views.lift,
        name="customer_hold_lift",
    ),
    path("customers/<path:reference>/relay/", customer_views.relay, name="customer_relay"),
    path("customers/<path:reference>/merge/", customer_views.merge, name="customer_merge"),
    path("customers/<path:reference>/", customer_views.customer, name="customer"),
    path("permission/invalidations/", invalidation_views.invalidations, name="invalidations"),
    path(
        "permission/invalidations/<int:pk>/", invalidation_views.invalidation, name="invalidation"
    ),
    path(
        "permission/invalidations/<int:pk>/approve/",
        invalidation_views.approve,
        name="invalidation_approve",
    ),
    path(
        "permission/invalidations/<int:pk>/drop/",
        invalidation_views.drop,
        name="invalidation_drop",
    ),
    path("dosing/", dose_views.dosing, name="dosing"),
    path("dosing/audience/", dose_views.audience, name="dose_audience"),
    path("dosing/audience.csv", dose_views.audience_file, name="dose_audience_file"),
    path("mail-events/", provider.mail_events, name="mail_events"),
    path("mailings/", include([*mailing_views.PATHS, *message_views.PATHS])),
    path("jobs/", views.jobs, name="jobs"),
    path("imports/", import_views.imports, name="imports"),
    path("imports/<int:pk>/", import_views.import_job, name="import"),
    path("imports/<int:pk>/preview/", import_views.import_preview_page, name="import_preview"),
    path("imports/<int:pk>/approve/", import_views.import_approve, name="import_approve"),
    path("imports/<int:pk>/progress/", import_views.import_progress, name="import_progress"),
    path("imports/<int:pk>/rejects/", import_views.import_rejects, name="import_rejects"),
    path("imports/<int:pk>/stop/", import_views.import_stop, name="import_stop"),
    path("imports/<int:pk>/discard/", import_views.import_discard, name="import_discard"),
    path("touchpoints/", touchpoint_views.touchpoints, name="touchpoints"),
    path("touchpoints/new/", touchpoint_views.new_touchpoint, name="new_touchpoint"),
    path("touchpoints/<slug:key>/", touchpoint_views.touchpoint, name="touchpoint"),
    path("touchpoints/<slug:key>/edit/", touchpoint_views.edit_touchpoint, name="edit_touchpoint"),
    path("settings/", settings_views.settings_page, name="settings"),
    path("settings/start/", settings_views.start, name="start"),
    path("settings/time-zone/", settings_views.settings_time_zone, name="settings_time_zone"),
    re_path(r"^logo/(?P<hash>[0-9a-f]{16})$", settings_views.logo, name="logo"),
    path("widget.js", public.widget, name="widget"),
    re_path(r"^widget\.(?P<hash>[0-9a-f]{16})\.js$", public.pinned_widget, name="pinned_widget"),
    path("v/<str:key>/", hosted.hosted, name="hosted"),
    path("r/<str:token>/", rated.rated, name="rated"),
    path("u/<str:token>/", public_unsubscribe.unsubscribe, name="unsubscribe"),
    path("preferences/", public_preferences.preferences_ask, name="preferences_ask"),
    path("preferences/mine/", own_page_views.own_page, name="own_page"),
    path("preferences/mine/data/", own_page_views.own_page_data, name="own_page_data"),
    path("preferences/mine/download/", own_page_views.own_page_download, name="own_page_download"),
    path("preferences/mine/correct/", own_page_views.own_page_correct, name="own_page_correct"),
    path("preferences/mine/erase/", own_page_views.own_page_erase, name="own_page_erase"),
    path("preferences/mine/close/", own_page_views.own_page_close, name="own_page_close"),
    path("preferences/<str:token>/", public_preferences.preferences, name="preferences"),
    path("collect/<str:key>/", public.collector, name="collector"),
    path("collect/<str:key>/shown/", public.shown, name="shown"),
    path("opt-in/<slug:key>/", public_optin.opt_in, name="opt_in"),
    path("confirm/<str:token>/", public_optin.confirm, name="confirm"),
    path("permission/purposes/", include(wording_views.PATHS)),
    path("dosing/policy/", include(policy_views.PATHS)),
    path("dosing/involvement/", include(involvement_views.PATHS)),
    path("permission/forms/", include(ask_views.PATHS)),
    path("api/v1/", api.addresses()),
    path("own-shop/", own_shop_views.own_shop_page, name="own_shop"),
    path("own-shop/open/", own_shop_views.own_shop_open, name="own_shop_open"),
    path("settings/colleagues/", colleague_views.colleagues, name="colleagues"),
    path("settings/colleagues/<int:pk>/", colleague_views.colleague, name="colleague"),
    path("settings/colleagues/<int:pk>/invite/", colleague_views.renew, name="invitation_renew"),
    path(
        "settings/colleagues/<int:pk>/withdraw/",
        colleague_views.withdraw,
        name="invitation_withdraw",
    ),
    path("settings/colleagues/<int:pk>/off/", colleague_views.switch_off, name="colleague_off"),
    path("settings/colleagues/<int:pk>/on/", colleague_views.switch_on, name="colleague_on"),
    path(
        "settings/colleagues/<int:pk>/one-step/",
        colleague_views.drop_second_step,
        name="colleague_one_step",
    ),
    path("settings/api-keys/", api_key_views.api_keys, name="api_keys"),
    path("settings/api-keys/<int:pk>/revoke/", api_key_views.revoke, name="api_key_revoke"),
    path("join/<str:token>/", colleague_views.join, name="join"),
    path("permission/requests/", rights_views.requests, name="requests"),
    path("permission/requests/<int:pk>/", rights_views.request_page, name="request"),
    path("permission/requests/<int:pk>/done/", rights_views.request_done, name="request_done"),
    path(
        "permission/requests/<int:pk>/refused/",
        rights_views.request_refused,
        name="request_refused",
    ),
    path(
        "permission/requests/<int:pk>/data/",
        rights_views.request_document,
        name="request_document",
    ),
    path("permission/requests/<int:pk>/data.json", rights_views.request_file, name="request_file"),
    path("permission/register/", rights_views.register, name="register"),
    path("language/", views.set_language, name="set_language"),
    path("theme/", views.set_theme, name="set_theme"),
    path("setup/<str:token>/", views.set_up, name="set_up"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    # An address is changed by an administrator: here it is only shown.
    path("accounts/email/", require_safe(account_views.email), name="account_email"),
    path("accounts/logout/", views.SignOutView.as_view(), name="account_logout"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
