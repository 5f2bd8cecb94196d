if (Number(process.versions.node.split('.')[0]) < 24)
  throw new Error(`Node ${process.version}: use "npm test", it brings Node 24`);
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  globalSetup: '<rootDir>/test/support/open-run.js',
  globalTeardown: '<rootDir>/test/support/close-run.js',
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.js' },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  collectCoverageFrom: ['server/**/*.ts'],
  coverageProvider: 'v8',
  testTimeout: 20000,
  maxWorkers: '100%',
};
