/** The import directions of ARCHITECTURE.md; scripts/import-rules.json is their one statement. */
const { folders, mayImportHost, hostFilesWithoutEffects } = require('./scripts/import-rules.json');

const allowedIn = Object.entries(folders).map(([folder, others]) => ({
  name: `${folder}-imports-downwards`,
  comment: `src/${folder} may import ${others.length === 0 ? 'no other folder' : others.join(', ')}.`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^(src|sim|bench|test)/', pathNot: `^src/(${[folder, ...others].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...allowedIn,
    {
      name: 'src-stays-in-its-folders',
      comment: 'A file directly under src/ belongs to no layer.',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+$' },
    },
    {
      name: 'host-is-for-processes',
      comment: 'The simulator, benchmarks and unit tests run the Peer without sockets and disk.',
      severity: 'error',
      from: {
        path: '^(sim|bench|test)/',
        pathNot: [`^(${mayImportHost.join('|')})/`, '^test/[^/]+$'],
      },
      to: { path: '^src/host/', pathNot: hostFilesWithoutEffects },
    },
    {
      name: 'the-simulator-needs-no-command-line',
      comment: 'The command line starts the simulator, never the other way round.',
      severity: 'error',
      from: { path: '^sim/' },
      to: { path: '^(src/cli|bench|test)/' },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one subject, or one of them knows too much.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'nothing-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { conditionNames: ['import', 'node', 'default'], extensions: ['.ts'] },
  },
};
