/** Documents with the structure of the example in RFC 6940 §11.1, for tests. */

import { TestAuthority } from './test-authority.ts';

/** The root of `overlay.example.org`. */
export const ROOT_CERTIFICATE = new TestAuthority('overlay.example.org').root.der;
const ROOT_CERTIFICATE_BASE64 = Buffer.from(ROOT_CERTIFICATE).toString('base64');
export const NODE_A = '47112162e84c69ba47112162e84c69ba';
export const NODE_B = '6eba45d31a900c066eba45d31a900c06';
export const NODE_C = '6ebc45d31a900c066ebc45d31a900c06';

/** A kind-block whose signature is base64, but no SecurityBlock: like the RFC's own. */
export function kindBlock(kind: string): string {
  const signature = '<kind-signature> VGhpcyBpcyBub3QgcmlnaHQhCg== </kind-signature>';
  return `<kind-block>${kind}${signature}</kind-block>`;
}

/** A document of one configuration with this content. */
export function documentOf(content: string, attributes = 'sequence="22"'): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<overlay xmlns="urn:ietf:params:xml:ns:p2p:config-base"
   xmlns:ext="urn:ietf:params:xml:ns:p2p:config-ext1"
   xmlns:chord="urn:ietf:params:xml:ns:p2p:config-chord">
<configuration instance-name="overlay.example.org" ${attributes}>
${content}
</configuration>
</overlay>`;
}

export const ROOT = `<root-cert>${ROOT_CERTIFICATE_BASE64}</root-cert>`;

/** Every element of RFC 6940 §11.1 with values that are right, and a second configuration. */
export const WHOLE_DOCUMENT = `<?xml version="1.0" encoding="UTF-8"?>
<overlay xmlns="urn:ietf:params:xml:ns:p2p:config-base"
   xmlns:ext="urn:ietf:params:xml:ns:p2p:config-ext1"
   xmlns:chord="urn:ietf:params:xml:ns:p2p:config-chord">
   <configuration instance-name="overlay.example.org" sequence="22"
       expiration="2002-10-10T07:00:00Z" ext:ext-example="stuff" >
       <topology-plugin> CHORD-RELOAD </topology-plugin>
       <node-id-length>16</node-id-length>
       <root-cert>
         ${ROOT_CERTIFICATE_BASE64.replace(/.{64}/g, '$&\n         ')}
       </root-cert>
       <root-cert> ${ROOT_CERTIFICATE_BASE64} </root-cert>
       <enrollment-server>https://example.org</enrollment-server>
       <enrollment-server>https://example.net</enrollment-server>
       <self-signed-permitted
                 digest="sha1">false</self-signed-permitted>
       <bootstrap-node address="192.0.0.1" port="6084" />
       <bootstrap-node address="192.0.2.2" port="6085" />
       <bootstrap-node address="2001:DB8::1"></bootstrap-node>
       <turn-density> 20 </turn-density>
       <clients-permitted> false </clients-permitted>
       <no-ice> 1 </no-ice>
       <chord:chord-update-interval>
           400</chord:chord-update-interval>
       <chord:chord-ping-interval>30</chord:chord-ping-interval>
       <chord:chord-reactive> 0 </chord:chord-reactive>
       <shared-secret> pass word </shared-secret>
       <max-message-size>4000</max-message-size>
       <initial-ttl> 30 </initial-ttl>
       <overlay-reliability-timer> 2000 </overlay-reliability-timer>
       <overlay-link-protocol>TLS</overlay-link-protocol>
       <configuration-signer>${NODE_A}</configuration-signer>
       <kind-signer> ${NODE_A} </kind-signer>
       <kind-signer> ${NODE_B.toUpperCase()} </kind-signer>
       <bad-node> ${NODE_C} </bad-node>
       <ext:example-extension> foo </ext:example-extension>
       <required-kinds>
         ${kindBlock(`<kind name="SIP-REGISTRATION">
             <data-model>SINGLE</data-model>
             <access-control>USER-MATCH</access-control>
             <max-count>1</max-count>
             <max-size>100</max-size>
           </kind>`)}
         ${kindBlock(`<kind id="4026532000">
             <data-model>ARRAY</data-model>
             <access-control>NODE-MULTIPLE</access-control>
             <max-node-multiple>3</max-node-multiple>
             <max-count>22</max-count>
             <max-size>4</max-size>
             <ext:example-kind-extension> 1 </ext:example-kind-extension>
           </kind>`)}
       </required-kinds>
   </configuration>
   <signature> VGhpcyBpcyBub3QgcmlnaHQhCg== </signature>

   <configuration instance-name="other.example.net">
   </configuration>
   <signature algorithm="rsa-sha1"> VGhpcyBpcyBub3QgcmlnaHQhCg== </signature>
   <signature> AAAA </signature>
</overlay>
`;
