from django.conf import settings
from django.contrib.auth import views as auth
from django.urls import path, reverse_lazy

from annotate.views import account, home, invitations, keys

RESET = auth.PasswordResetView.as_view(
    template_name="account/password_reset.html",
    email_template_name="account/password_reset_email.txt",
    subject_template_name="account/password_reset_subject.txt",
    extra_email_context={"site_url": settings.SITE_URL},
    success_url=reverse_lazy("password-reset-sent"),
)
SENT = auth.PasswordResetDoneView.as_view(template_name="account/password_reset_sent.html")
CONFIRM = auth.PasswordResetConfirmView.as_view(
    template_name="account/password_reset_confirm.html", success_url=reverse_lazy("password-reset-done")
)
DONE = auth.PasswordResetCompleteView.as_view(template_name="account/password_reset_done.html")

urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in/", account.sign_in, name="sign-in"),
    path("sign-out/", account.sign_out, name="sign-out"),
    path("theme/", account.theme, name="theme"),
    path("account/", account.account, name="account"),
    path("account/keys/", keys.keys, name="judging-keys"),
    path("account/password/", account.password_change, name="password-change"),
    path("password-reset/", RESET, name="password-reset"),
    path("password-reset/sent/", SENT, name="password-reset-sent"),
    path("password-reset/done/", DONE, name="password-reset-done"),
    path("password-reset/<uidb64>/<token>/", CONFIRM, name="password-reset-confirm"),
    path("invitations/<str:token>/", invitations.invitation_accept, name="invitation-accept"),
]
