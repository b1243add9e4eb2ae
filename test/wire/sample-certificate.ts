/**
 * A self-signed P-256 certificate with the Node-ID 0123456789abcdef0123456789abcdef, so that tools
 * which look inside certificates find one. Made with OpenSSL; its key is lost.
 */
export const SAMPLE_CERTIFICATE: Uint8Array = new Uint8Array(
  Buffer.from(
    [
      'MIICCTCCAa+gAwIBAgIUBOP1g7C3zMpw2g2Hzr5a1lTCaj4wCgYIKoZIzj0EAwIwKzEpMCcGA1UEAwwgMDEyMzQ1Nj',
      'c4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwIBcNMjYxMTIwMjEzMTA5WhgPMjEyNjEwMjcyMTMxMDlaMCsxKTAnBgNV',
      'BAMMIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEF5MHfc',
      '9pxqssoPPkF89SiDBW3M5C7T4uz7ZCpGFfZwLx7IriOLPaSqfeUAZQ+nJ1jSadqziu5OJCmJOTYfHfjKOBrjCBqzAd',
      'BgNVHQ4EFgQUhLLzpLI4KUaLNtvnH3mcsWcGdtMwHwYDVR0jBBgwFoAUhLLzpLI4KUaLNtvnH3mcsWcGdtMwDwYDVR',
      '0TAQH/BAUwAwEB/zBYBgNVHREEUTBPhjpyZWxvYWQ6Ly8wMTEwMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk',
      'ZWZAZXhhbXBsZS5vcmcvgRFyb21lb0BleGFtcGxlLm9yZzAKBggqhkjOPQQDAgNIADBFAiB0kj1LSCFidEa4AMJk9N',
      'dGBgFQ69i31PlN3IEt40ZuYwIhAPmdrVJcTYJSSSyPYCdYDZtxHJrESFnV9iiyhVucWHHD',
    ].join(''),
    'base64',
  ),
);

export const SAMPLE_CERTIFICATE_SHA256 =
  'd5da5373e67fa2105e04816edc6b69466ea27ffcd92504677a09455fe07144a7';
