import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'

export default [
  ...neostandard({ ts: true, ignores: ['**/dist', '**/.tap', '**/coverage', '**/generated'] }),
  {
    files: ['**/*.ts'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-redeclare': 'off', // a schema and its type share a name
      '@stylistic/max-len': ['error', {
        code: 120,
        ignoreUrls: true,
        // The title of a test stays on one line, so that it can be searched for.
        ignorePattern: "^\\s*((await |void )?\\w+\\.test\\(|['`\\[].*: async )"
      }],
      '@stylistic/member-delimiter-style': ['error', { multiline: { delimiter: 'none' }, singleline: { delimiter: 'comma' } }],
      'no-void': ['error', { allowAsStatement: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }]
    }
  },
  {
    // A message of the page stays on one line, beside its key.
    files: ['example/desk/page/messages/*.ts'],
    rules: { '@stylistic/max-len': ['error', { code: 120, ignoreStrings: true }] }
  }
]
