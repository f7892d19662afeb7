export { bigFunctionWorkerType } from './worker-type.ts';
export { tilesFunction } from './tiles/tiles.ts';
export { type TilesSettings } from './tiles/settings.ts';
