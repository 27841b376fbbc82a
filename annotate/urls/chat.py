from django.urls import path

from annotate.views import chat

urlpatterns = [
    path("projects/<int:project_id>/chat/", chat.chat, name="chat"),
    path("projects/<int:project_id>/chat/past/", chat.past, name="chat-past"),
    path("projects/<int:project_id>/chat/past/<int:chat_id>/", chat.read, name="chat-read"),
    path("projects/<int:project_id>/chat/past/<int:chat_id>/end/", chat.end, name="chat-end"),
    path("projects/<int:project_id>/chat/<int:turn_id>/choose/", chat.choose, name="chat-choose"),
    path("projects/<int:project_id>/chat/<int:turn_id>/again/", chat.again, name="chat-again"),
    path("projects/<int:project_id>/chat/<int:turn_id>/retry/", chat.retry, name="chat-retry"),
    path("projects/<int:project_id>/chat/<int:turn_id>/stream/", chat.stream, name="chat-stream"),
]
