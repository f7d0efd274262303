/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows of channels (struct channel) of wake-ups (struct wakeup) and of signals (struct signals). */
#ifndef MMLENS_RENDER_CHANNELS_H
#define MMLENS_RENDER_CHANNELS_H

#include "render/column.h"

extern const struct column channel_columns[];
extern const size_t channel_columns_n;
extern const struct column wakeup_columns[];
extern const size_t wakeup_columns_n;
extern const struct column signal_columns[];
extern const size_t signal_columns_n;

#endif
