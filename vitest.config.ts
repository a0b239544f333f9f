import { defineConfig } from 'vitest/config';

/** What starts processes or threads, watches real folders, fills disks, or takes more than a second: not for the inner loop. */
const slow = [
  'test/extending.test.ts',
  'test/{program,share,verify}/**',
  'test/analysis/{analyseTogether,analysisPool,roiEstimator}.test.ts',
  'test/cli/{completionScript,requeue,requeueCrash,stop,systemdNotifier,systemdService}.test.ts',
  'test/files/{distantProcesses,fileLock,mountedDevice,plantedLocally,plantedNames,reserveFile}.test.ts',
  'test/image/{compressFile,decodePng,decodeTiff,imageBombs}.test.ts',
  'test/manifest/{archive,backup,crashWalk,kill,stageLeases,waitingSoak}.test.ts',
  'test/operators/{fullDisk,linkedPlaces}.test.ts',
  'test/operators/collector/{collectorCrash,orphanImages}.test.ts',
  'test/operators/compressor/compressorCrash.test.ts',
  'test/operators/ringBuffer/ringBuffer.test.ts',
  'test/operators/stage/stageCompliance.test.ts',
  'test/sinks/{alarms,communication,health,log}/**',
  'test/streams/{console,configuration,control,status,watched}/**',
  'test/streams/{simulatedAnalysis,simulator}.test.ts',
];
const long = 'test/long/**';

export default defineConfig({
  test: {
    reporters: ['default', './scripts/closingLineReporter.ts'],
    globalSetup: ['test/setup/wholeRun.ts'],
    setupFiles: ['test/setup/eachFile.ts'],
    // Tests that wait for a process leave room for one more than there are cores (two).
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [long, ...slow],
          // What these files import is loaded once for all of them, not once for each.
          pool: 'forks',
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'machine',
          include: slow.map(path => path.replace(/\/\*\*$/, '/**/*.test.ts')),
          pool: 'forks',
          isolate: false,
          // A machine that others use too stands still for a while.
          testTimeout: 180_000,
        },
      },
    ],
  },
});
