-- Debian's mod_client_certs (XEP-0257) is older than Debian's Prosody 0.12.3 and its Lua 5.4, with
-- which it does not load, and answers no upload. It asks for a library "adhoc", and finds this one,
-- which mends both; whatever else the module does or leaves undone stays as it is.

-- Prosody counts the lines of a PEM block with a division, which Lua 5.4 refuses as a count.
local x509 = require "util.x509";
local base64 = require "util.encodings".base64;

function x509.der2pem(data, typ)
	typ = typ and typ:upper() or "CERTIFICATE";
	local lines = base64.encode(data):gsub(("."):rep(64), "%0\n"):gsub("\n$", "");
	return ("-----BEGIN %s-----\n%s\n-----END %s-----\n"):format(typ, lines, typ);
end

-- The permission "user", which the module gives its command, is now called "any".
return {
	new = function (name, node, handler)
		return { name = name, node = node, handler = handler, permission = "any" };
	end;
};
