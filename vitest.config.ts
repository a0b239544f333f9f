import { defineConfig } from 'vitest/config';

/** What takes more than a second of a core, on files in memory: not for the inner loop. */
const walks = [
  'test/analysis/roiEstimator.test.ts',
  'test/analysis/chipMovement.test.ts',
  'test/calibration/{findChip,referenceCalibration}.test.ts',
  'test/analysis/shift/shift.test.ts',
  'test/cli/{capture,requeueCrash}.test.ts',
  'test/image/{decodePng,decodeTiff}.test.ts',
  'test/manifest/{archive,crashWalk,waitingSoak}.test.ts',
  'test/operators/collector/{collectorCrash,orphanImages}.test.ts',
  'test/operators/compressor/compressorCrash.test.ts',
  'test/operators/ringBuffer/ringBuffer.test.ts',
  'test/operators/stage/stageCompliance.test.ts',
  'test/share/syncCrashWalk.test.ts',
  'test/streams/cameras/libcamera/libcameraCamera.test.ts',
  'test/streams/simulator.test.ts',
  'test/verify/recoverEntries.test.ts',
];
/** What starts processes or threads, watches real folders, or fills disks. */
const machine = [
  'test/extending.test.ts',
  'test/program/**/*.test.ts',
  'test/analysis/{analyseTogether,analysisPool}.test.ts',
  'test/cli/{completionScript,requeue,stop,systemdNotifier,systemdService}.test.ts',
  'test/files/{deviceClaims,distantProcesses,fileLock,mountedDevice,plantedLocally,plantedNames,reserveFile,runTool}.test.ts',
  'test/image/{compressFile,imageBombs}.test.ts',
  'test/manifest/{backup,kill,stageLeases}.test.ts',
  'test/operators/{fullDisk,linkedPlaces}.test.ts',
  'test/share/**/*.test.ts',
  'test/sinks/{alarms,communication,health,log}/**/*.test.ts',
  'test/streams/cameras/{deviceHolders,realCommand,v4l2/realV4l2Tools,gstreamer/realGstreamer}.test.ts',
  'test/streams/{console,configuration,control,status,watched,watchFolder}/**/*.test.ts',
  'test/streams/simulatedAnalysis.test.ts',
  'test/verify/**/*.test.ts',
];
const long = 'test/long/**';
/** What these files import is loaded once for all of them, not once for each. */
const together = { pool: 'forks', isolate: false } as const;

export default defineConfig({
  test: {
    reporters: ['default', './scripts/closingLineReporter.ts'],
    globalSetup: ['test/setup/wholeRun.ts'],
    setupFiles: ['test/setup/eachFile.ts'],
    // Tests that wait for a process leave room for one more than there are cores (two).
    maxWorkers: 3,
    // A failure that comes once in a hundred runs says all.
    chaiConfig: { truncateThreshold: 2000 },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Longer than the run waits for programs that tests have left: else it would end without saying so.
    teardownTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [long, ...walks, ...machine], ...together },
      },
      { extends: true, test: { name: 'walks', include: walks, ...together } },
      {
        extends: true,
        test: {
          name: 'machine',
          include: machine,
          exclude: walks,
          // A machine that others use too stands still for a while.
          testTimeout: 180_000,
        },
      },
    ],
  },
});
