/** What the page's modules may do, and which folder may import which. */

import importX from 'eslint-plugin-import-x';
import noUnsanitized from 'eslint-plugin-no-unsanitized';

// From the top floor down: a folder imports from the floors below its own, and from itself.
const FLOORS = [
  ['pages'],
  ['views', 'session'],
  ['media', 'webrtc', 'transport'],
  ['state', 'i18n'],
  ['browser'],
  ['protocol'],
];

/** @param {string} folder */
const path = (folder) => `./static/js/${folder}`;

const zones = FLOORS.flatMap((floor, depth) =>
  floor.flatMap((folder) => {
    const above = FLOORS.slice(0, depth).flat();
    const beside = floor.filter((other) => other !== folder);
    return [...above, ...beside].map((other) => ({ target: path(folder), from: path(other) }));
  }),
);

export default [
  { ignores: ['**/node_modules/**', 'var/**', 'static/vendor/**', '.venv/**'] },
  {
    files: ['static/js/**/*.js'],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { 'import-x': importX, 'no-unsanitized': noUnsanitized },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-unresolved': 'error',
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', { max: 40, IIFEs: true }],
      'no-console': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-unsanitized/method': 'error',
      'no-unsanitized/property': 'error',
      'no-unused-vars': ['error', { varsIgnorePattern: '^_$', ignoreRestSiblings: true }],
      'no-restricted-properties': [
        'error',
        { object: 'document', property: 'write' },
        { object: 'document', property: 'cookie' },
      ],
      'no-restricted-globals': [
        'error',
        ...['localStorage', 'sessionStorage', 'indexedDB'].map((name) => ({
          name,
          message: 'Only browser/storage.js knows where the browser keeps things.',
        })),
      ],
    },
  },
  {
    files: ['static/js/browser/storage.js'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' },
  },
];
