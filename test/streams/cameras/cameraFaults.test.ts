import { describe, expect, it } from 'vitest';
import { CameraError, frameError } from '../../../src/streams/cameras/cameraFaults.ts';

const failed = { camera: 'camera 0', program: 'v4l2-ctl' };

describe('what a program says on standard error', () => {
  const rows: [said: string, code: string, answer: string, message: RegExp][] = [
    ['ERROR: *** no cameras available ***', 'camera_absent', 'alarm', /no camera is found/],
    ['No cameras available!', 'camera_absent', 'alarm', /legacy camera stack/],
    ['/dev/video0[18:cap]: Dequeue timer of 1000000.00us has expired!', 'sensor_stopped', 'retry', /sends no frames/],
    ['ERROR: Camera frontend has timed out!', 'sensor_stopped', 'retry', /cable/],
    ['Pipeline handler in use by another process', 'camera_busy', 'alarm', /another program uses/],
    ['ERROR: *** failed to acquire camera /base/soc/i2c ***', 'camera_busy', 'alarm', /end that program/],
    ['VIDIOC_STREAMON returned -1 (Device or resource busy)', 'camera_busy', 'alarm', /another program uses/],
    ['VIDIOC_STREAMON error 28, No space left on device', 'usb_bandwidth', 'alarm', /USB bus.*disk is not full/],
    ['VIDIOC_S_EXT_CTRLS: failed: Invalid argument', 'control_refused', 'alarm', /refuses a setting/],
    ['VIDIOC_S_EXT_CTRLS: failed: Permission denied', 'control_refused', 'alarm', /set to manual first/],
    ['VIDIOC_S_CTRL: failed: Permission denied', 'control_refused', 'alarm', /set to manual first/],
    ['Failed to open /dev/video0: Permission denied', 'camera_permission', 'alarm', /group|usermod -aG video/],
    ['Cannot open device /dev/video0, exiting.', 'camera_gone', 'retry', /the device is gone/],
    ['VIDIOC_DQBUF: failed: No such device', 'camera_gone', 'retry', /by-id/],
    ['usb 1-1.3: USB disconnect, device number 7', 'camera_gone', 'retry', /plug/],
  ];

  it.each(rows.flatMap(row => [0, 1, 255].map(code => [row, code] as const)))('%j with exit code %i', (row, exit) => {
    const [said, code, answer, message] = row;
    const error = frameError(failed, { stderr: `first words\n${said}\nlast words\n`, code: exit, endedBy: null });
    expect(error).toBeInstanceOf(CameraError);
    expect(error).toMatchObject({ code, answer });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(said);
  });

  it('is quoted where nobody knows it, with the exit code', () => {
    const stderr = 'Preview window unavailable\nfirst words\nERROR: *** it is Monday ***\n';
    const { message, answer } = frameError(failed, { stderr, code: 255, endedBy: null });
    expect(message).toBe(
      'camera 0: no frame from v4l2-ctl: it ended with 255; it said "first words ERROR: *** it is Monday ***"',
    );
    expect(answer).toBe('retry');
  });

  it('may be harmless: it is not what stopped the frame', () => {
    const { message } = frameError(failed, { stderr: 'Preview window unavailable\n', code: 0, endedBy: null });
    expect(message).toBe('camera 0: no frame from v4l2-ctl: it gave no frame');
    const stderr = 'Unable to set controls: Device or resource busy\nERROR: Camera frontend has timed out!\n';
    expect(frameError(failed, { stderr, code: 255, endedBy: null }).code).toBe('sensor_stopped');
  });

  it('can do nothing to a terminal', () => {
    const { message } = frameError(failed, { stderr: '\u001b]0;owned\u0007\u001b[2Jgone', code: 1, endedBy: null });
    expect(message).toMatch(/it said "gone"$/);
  });
});
