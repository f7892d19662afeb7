import type { SampleProfile } from '@connecta/worker-kit';

/** Profiles that exist from the first start on. */
export const samples: readonly SampleProfile[] = [
  { name: 'add-2', function: 'math.add', settings: { operand: 2 } },
  { name: 'times-2', function: 'math.multiply', settings: { operand: 2 } },
  { name: 'bright', function: 'image.adjust', settings: { brightness: 1.2, saturation: 1.1, contrast: 1.05 } },
  {
    name: 'device-sizes',
    function: 'image.resize',
    settings: {
      widths: [
        { name: 'phone', width: 480 },
        { name: 'tablet', width: 1024 },
        { name: 'desktop', width: 1920 },
      ],
    },
  },
  {
    name: 'client-x-mark',
    function: 'image.watermark',
    settings: { text: 'Client X', gravity: 'southeast', opacity: 0.6, size: 0.25, margin: 0.02 },
  },
];
