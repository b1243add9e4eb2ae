/** The import directions of ARCHITECTURE.md; scripts/import-rules.json is their one statement. */
const { folders, simulator, mayImportHost } = require('./scripts/import-rules.json');

const allowedIn = Object.entries(folders).map(([folder, others]) => ({
  name: `${folder}-imports-downwards`,
  comment: `src/${folder} may import ${others.length === 0 ? 'no other folder' : others.join(', ')}.`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^(src|sim|bench|test)/',
    pathNot: [
      `^src/(${[folder, ...others].join('|')})/`,
      ...(simulator.importedBy.includes(folder) ? ['^sim/'] : []),
    ],
  },
}));

const neverInSimulator = Object.entries(simulator.neverImports).map(([folder, others]) => ({
  name: `sim-${folder}-imports-downwards`,
  comment: `sim/${folder} must not import ${others.join(', ')}.`,
  severity: 'error',
  from: { path: `^sim/${folder}/` },
  to: { path: `^sim/(${others.join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...allowedIn,
    ...neverInSimulator,
    {
      name: 'src-stays-in-its-folders',
      comment: 'A file directly under src/ belongs to no layer.',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+$' },
    },
    {
      name: 'host-is-for-processes',
      comment: 'Benchmarks and unit tests run the Peer without sockets and disk.',
      severity: 'error',
      from: {
        path: '^(bench|test)/',
        pathNot: [`^(${mayImportHost.join('|')})/`, '^test/[^/]+$'],
      },
      to: { path: '^src/host/' },
    },
    {
      name: 'the-simulator-stands-on-the-core',
      comment: 'It runs the Peer without sockets and disk; the command line starts it.',
      severity: 'error',
      from: { path: '^sim/' },
      to: {
        path: '^(src|bench|test)/',
        pathNot: `^src/(${simulator.mayImport.join('|')})/`,
      },
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
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts'],
    },
  },
};
