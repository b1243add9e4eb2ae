import { expect, it } from 'vitest';
import {
  type AuthoritySettings,
  faultOfSettings,
} from '../../src/host/authority/authority-settings.ts';

const settings: AuthoritySettings = {
  overlayName: 'overlay.example.org',
  name: 'capulet',
  profile: 'rfc6940',
  keyType: 'p256',
  httpsNames: [],
  certificateDays: 30,
};

it('RFC 6940 §6.3.2 (003): an overlay is named by a DNS name', () => {
  expect(faultOfSettings(settings)).toBeUndefined();
  for (const overlayName of [
    '',
    'a b.example',
    'café.example',
    'a..b',
    '-a.example',
    'a_b',
    'a/b',
  ]) {
    expect(faultOfSettings({ ...settings, overlayName })).toMatch(/is not a lower-case host name/);
  }
});
