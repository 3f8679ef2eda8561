"""A client of a FastAPI service with a login, as tutorials write it: a form to /token, a bearer token from then on.

Arguments: base URL, user name, password. Prints one JSON object: for each thing it tried, what came back.
"""
import json
import sys

import requests

BASE_URL, USERNAME, PASSWORD = sys.argv[1:4]
tried = {}


def note(name, response):
    tried[name] = {"status": response.status_code, "www_authenticate": response.headers.get("WWW-Authenticate"),
                   "cache_control": response.headers.get("Cache-Control"), "body": response.json()}
    return response


def get_token():
    response = note("token", requests.post(f"{BASE_URL}/token", data={"username": USERNAME, "password": PASSWORD}))
    response.raise_for_status()
    return response.json().get("access_token")


def greet(name, token):
    headers = {"Authorization": f"Bearer {token}"}
    response = note("run", requests.post(f"{BASE_URL}/hello/run", json={"name": name}, headers=headers))
    response.raise_for_status()
    return response.json()


token = get_token()
greet("Python", token)
note("me", requests.get(f"{BASE_URL}/users/me", headers={"Authorization": f"Bearer {token}"}))
note("lower case scheme", requests.get(f"{BASE_URL}/users/me", headers={"Authorization": f"bearer {token}"}))
form = {"username": USERNAME, "password": PASSWORD}
note("multipart", requests.post(f"{BASE_URL}/token", files={k: (None, v) for k, v in form.items()}))
note("with grant type", requests.post(f"{BASE_URL}/token", data={**form, "grant_type": "password", "scope": ""}))
note("empty client", requests.post(f"{BASE_URL}/token", data=form, auth=("", "")))
note("wrong password", requests.post(f"{BASE_URL}/token", data={**form, "password": "wrong"}))
note("unknown user", requests.post(f"{BASE_URL}/token", data={**form, "username": "nobody"}))
note("no fields", requests.post(f"{BASE_URL}/token", data={"other": "x"}))
note("no password", requests.post(f"{BASE_URL}/token", data={"username": USERNAME}))
note("JSON body", requests.post(f"{BASE_URL}/token", json=form))
note("wrong grant type", requests.post(f"{BASE_URL}/token", data={**form, "grant_type": "x"}))
note("no token", requests.get(f"{BASE_URL}/users/me"))
note("another scheme", requests.get(f"{BASE_URL}/users/me", headers={"Authorization": "Basic eDp5"}))
note("bad token", requests.get(f"{BASE_URL}/users/me", headers={"Authorization": f"Bearer {token}x"}))
note("run without a token", requests.post(f"{BASE_URL}/hello/run", json={"name": "x"}))
note("run without inputs", requests.post(f"{BASE_URL}/hello/run", json={}, headers={"Authorization": f"Bearer {token}"}))
print(json.dumps(tried))
