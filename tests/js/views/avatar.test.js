/** The initials of a participant. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { initials } from '../../../static/js/views/avatar.js';

test('the number that tells two names apart is no initial', () => {
  assert.equal(initials('nova (2)'), 'N');
  assert.equal(initials('Nova Lee (12)'), 'NL');
  assert.equal(initials('민서 (3)'), '민');
  assert.equal(initials('(2)'), '?');
  assert.equal(initials('Nova'), 'N');
});
