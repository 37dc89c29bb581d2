from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import include, path
from tests.hosts.django.shop.models import Item

from imagegallery.hosts.django import aload_pictures


def item(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "item.html", {"item": get_object_or_404(Item, pk=pk)})


async def item_of_an_async_view(request: HttpRequest, pk: int) -> HttpResponse:
    item = await Item.objects.aget(pk=pk)
    await aload_pictures([item])
    return render(request, "item.html", {"item": item})


async def item_that_is_not_loaded(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "item.html", {"item": await Item.objects.aget(pk=pk)})


urlpatterns = [
    path("admin/", admin.site.urls),
    path("pictures/", include("imagegallery.hosts.django.urls")),
    path("items/<int:pk>", item),
    path("async/<int:pk>", item_of_an_async_view),
    path("unloaded/<int:pk>", item_that_is_not_loaded),
]
