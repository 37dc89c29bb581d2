from django.contrib import admin
from tests.hosts.django.shop.models import Item

admin.site.register(Item)
