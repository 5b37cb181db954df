-- SPDX-License-Identifier: GPL-2.0-or-later
-- A run that ends with a status of its own.
machine{ policy = "endless.policy" }
run_for(ms(1))
expect(false, "this")
