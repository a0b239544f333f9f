/** `phorest` with the camera of `cadenceCamera.ts` in the place of the simulated one. */
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (specifier, context, next) => {
    const isCamera = specifier.endsWith('/simulatedCamera.ts') && context.parentURL?.endsWith('/cameras/sources.ts');
    return next(isCamera ? new URL('./cadenceCamera.ts', import.meta.url).href : specifier, context);
  },
});
const { main } = await import('../src/cli/main.ts');
await main(process.argv.slice(2));
