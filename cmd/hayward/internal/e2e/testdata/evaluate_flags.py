# Evaluates flags through the OpenFeature SDK and its provider for remote evaluation, as a program that knows nothing of the
# server does. The input is a list of calls, the output a list of answers.
import json
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.hook import Hook

ran = []


class Counting(Hook):
    def before(self, hook_context, hints):
        ran.append("before")

    def finally_after(self, hook_context, details, hints):
        ran.append("finally")


base, calls = sys.argv[1], json.loads(sys.stdin.read())
answers = []
for i, call in enumerate(calls):
    token, domain = call["token"], "d%d" % i
    headers = {"Authorization": "Bearer " + token} if token else {}
    api.set_provider(OFREPProvider(base, headers_factory=lambda headers=headers: headers), domain)
    client = api.get_client(domain)
    client.add_hooks([Counting()])
    evaluate = getattr(client, "get_%s_details" % call["type"])
    d = evaluate(call["key"], call["default"], EvaluationContext(call.get("user"), call.get("attributes") or {}))
    answers.append({
        "value": d.value, "python": type(d.value).__name__, "reason": str(d.reason.value if hasattr(d.reason, "value") else d.reason),
        "variant": d.variant or "", "code": d.error_code.value if d.error_code else "", "metadata": dict(d.flag_metadata or {}),
    })
print(json.dumps({"answers": answers, "hooks": len(ran)}))
