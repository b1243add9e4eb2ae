import fc from 'fast-check';

/**
 * Where a change is judged, property tests are the same in every run; elsewhere they look further
 * each time. What they find there becomes an example or a test of its own.
 */
if (process.env.CI === 'true') fc.configureGlobal({ seed: 20_261_120 });
