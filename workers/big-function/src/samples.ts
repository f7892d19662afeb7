import type { SampleProfile } from '@connecta/worker-kit';

/** Setups that exist from the first start on. */
export const samples: readonly SampleProfile[] = [
  { name: 'tiles', function: 'image.tiles', settings: { tileSize: 256, overlap: 1, format: 'jpeg', quality: 85 } },
];
