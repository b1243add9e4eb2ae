"""
Logs in by one SASL mechanism, sends a message (to itself, or to whom it is told) and prints what
came, as JSON lines. With a reply it answers that.
"""

import asyncio
import json
import pathlib
import sys

import slixmpp


class Client(slixmpp.ClientXMPP):
    def __init__(self, options):
        super().__init__(
            options["jid"],
            options.get("password", ""),
            sasl_mech=options["mechanism"],
        )
        self.options = options
        self.done = asyncio.get_event_loop().create_future()
        self.ca_certs = pathlib.Path(options["trust"])
        self.certfile = options.get("certificate")
        self.keyfile = options.get("key")
        self.register_plugin("xep_0198")
        self.register_plugin("xep_0199")
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("message", self.message)
        self.add_event_handler("failed_all_auth", lambda _: self.fail("failed_all_auth"))
        self.add_event_handler("stream_error", lambda error: self.fail(error["condition"]))
        self.add_event_handler("connection_failed", lambda error: self.fail(str(error)))
        self.add_event_handler("ssl_invalid_chain", lambda error: self.fail(str(error)))

    async def get_dns_records(self, domain, port=None):
        return []

    def start(self, _event):
        tell(event="started", jid=self.boundjid.full, managed="sm" in self.features)
        self.send_presence()
        if "text" in self.options:
            to = self.options.get("to", self.boundjid.bare)
            self.send_message(mto=to, mbody=self.options["text"], mtype="chat")

    def message(self, message):
        if "reply" in self.options:
            message.reply(self.options["reply"]).send()
        if not self.done.done():
            sender = str(message["from"])
            self.done.set_result({"event": "message", "body": message["body"], "from": sender})

    def fail(self, reason):
        if not self.done.done():
            self.done.set_result({"event": "failed", "reason": reason})


def tell(**fields):
    print(json.dumps(fields), flush=True)


async def run(options):
    client = Client(options)
    # The name in the certificate is that of the domain; the address is where the gateway listens.
    client.default_domain = client.requested_jid.domain
    client.connect((options["host"], options["port"]), use_ssl=options["direct"])
    tell(**await asyncio.wait_for(client.done, 60))
    await client.disconnect()


asyncio.get_event_loop().run_until_complete(run(json.loads(sys.argv[1])))
