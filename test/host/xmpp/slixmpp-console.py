"""
A client that does what the lines on stdin say, and prints what it hears, both as JSON. A line has
`do`: `send` (with `xml`, a stanza) or `disconnect`.
"""

import asyncio
import json
import pathlib
import sys
from xml.etree import ElementTree

import slixmpp
from slixmpp.exceptions import XMPPError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath


class Console(slixmpp.ClientXMPP):
    def __init__(self, options):
        super().__init__(
            options["jid"],
            options.get("password", ""),
            sasl_mech=options["mechanism"],
        )
        self.ca_certs = pathlib.Path(options["trust"])
        self.certfile = options.get("certificate")
        self.keyfile = options.get("key")
        self.auto_authorize = None
        self.auto_subscribe = False
        for plugin in ("xep_0030", "xep_0198", "xep_0199", "xep_0280", "xep_0313"):
            self.register_plugin(plugin)
        self.register_handler(Callback("iqs", MatchXPath("{jabber:client}iq"), self.answered))
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("message", self.message)
        self.add_event_handler("roster_update", self.roster_update)
        self.add_event_handler("presence", self.presence)
        self.add_event_handler("failed_all_auth", lambda _: tell(event="failed"))
        self.add_event_handler("stream_error", lambda error: tell(event=error["condition"]))
        self.add_event_handler("disconnected", lambda _: tell(event="disconnected"))

    async def get_dns_records(self, domain, port=None):
        return []

    async def started(self, _event):
        try:
            await self.get_roster()
        except XMPPError as error:
            tell(event="failed", reason=str(error))
            return
        self.send_presence()
        tell(event="started", jid=self.boundjid.full)

    def say(self, xml):
        element = ElementTree.fromstring(f"<all xmlns='{self.default_ns}'>{xml}</all>")[0]
        if element.tag.endswith("}iq"):
            self.send(slixmpp.Iq(self, xml=element))
            return
        kind = slixmpp.Message if element.tag.endswith("}message") else slixmpp.Presence
        kind(self, xml=element).send()

    def answered(self, iq):
        tell(event="iq", id=iq["id"], type=iq["type"], xml=str(iq))

    def message(self, message):
        tell(event="message", body=message["body"], **{"from": str(message["from"])})

    def presence(self, presence):
        sender = str(presence["from"])
        tell(event="presence", type=presence["type"], status=presence["status"], **{"from": sender})

    def roster_update(self, iq):
        for jid, item in iq["roster"]["items"].items():
            tell(event="roster", jid=str(jid), subscription=item["subscription"], name=item["name"])


def tell(**fields):
    print(json.dumps(fields), flush=True)


async def run(options):
    client = Console(options)
    # The name in the certificate is that of the domain; the address is where the gateway listens.
    client.default_domain = client.requested_jid.domain
    client.connect((options["host"], options["port"]), use_ssl=options["direct"])
    lines = asyncio.StreamReader()
    await asyncio.get_event_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    while line := await lines.readline():
        command = json.loads(line)
        if command["do"] == "send":
            client.say(command["xml"])
        else:
            await client.disconnect()
            break


asyncio.get_event_loop().run_until_complete(run(json.loads(sys.argv[1])))
