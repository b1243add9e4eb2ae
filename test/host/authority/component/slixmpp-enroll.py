"""
Logs in at an ordinary server, discovers an authority there and asks it for a certificate
(XEP-0417), as a client would that others wrote. Prints what comes, as JSON lines.
"""

import asyncio
import json
import pathlib
import sys
from xml.etree import ElementTree

import slixmpp
from slixmpp.exceptions import IqError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

X509 = "urn:xmpp:x509:0"


class Client(slixmpp.ClientXMPP):
    def __init__(self, options):
        super().__init__(options["jid"], options["password"])
        self.options = options
        self.done = asyncio.get_event_loop().create_future()
        self.ca_certs = pathlib.Path(options["trust"])
        self.register_plugin("xep_0030")
        challenge = MatchXPath(f"{{jabber:client}}message/{{{X509}}}x509-challenge")
        self.register_handler(Callback("challenge", challenge, self.challenged))
        self.add_event_handler("session_start", self.started)

    async def get_dns_records(self, domain, port=None):
        return []

    async def started(self, _event):
        self.send_presence()
        authority = self.options["authority"]
        info = await self["xep_0030"].get_info(jid=authority)
        tell(event="features", features=sorted(info["disco_info"]["features"]))
        iq = self.Iq(stype="get", sto=authority)
        csr = ElementTree.SubElement(iq.xml, f"{{{X509}}}x509-csr")
        csr.set("transaction", self.options["transaction"])
        csr.set("name", self.options["name"])
        csr.text = self.options["request"]
        try:
            answer = await iq.send(timeout=60)
            certificates = answer.xml.iter(f"{{{X509}}}x509-cert")
            tell(event="certificate", chain=["".join(found.text.split()) for found in certificates])
        except IqError as error:
            tell(event="error", condition=error.condition, xml=str(error.iq))
        self.done.set_result(None)

    def challenged(self, message):
        found = message.xml.find(f"{{{X509}}}x509-challenge")
        sender = str(message["from"])
        tell(event="challenge", sender=sender, transaction=found.get("transaction"), uri=found.get("uri"))


def tell(**fields):
    print(json.dumps(fields), flush=True)


async def run(options):
    client = Client(options)
    client.default_domain = client.requested_jid.domain
    client.connect((options["host"], options["port"]))
    await asyncio.wait_for(client.done, 90)
    await client.disconnect()


asyncio.get_event_loop().run_until_complete(run(json.loads(sys.argv[1])))
