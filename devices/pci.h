/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/pci.h - PCI bus 0 and what its functions share (PCI Local Bus 3.0,
 * PCI Express Base 3.1).
 *
 * A device that is a PCI function has a `struct pci_function` as the first
 * member of its object.  It calls, in its init: pci_function_init(), then
 * pci_bar_declare(), pci_msi_declare(), pci_msix_declare(); in its reset:
 * pci_function_reset().
 *
 * Firmware: the board gives each function the property "slot" and for each BAR
 * "bar0".."bar5"; after reset the function is as firmware leaves it, with
 * addresses in its BARs and memory decoding on, bus mastering off.  The guest
 * may move BARs: a BAR answers while memory decoding is on, its address is not
 * zero and nothing else is there.
 *
 * Bus mastering off: no DMA and no message leaves the function.
 *
 * With an IOMMU (vtd.h) on the board, DMA goes where that says, page by page.
 *
 * Configuration space is reached through ECAM and through configuration
 * mechanism #1 (ports CF8, CFC).  The reset control register stands at CF9.
 *
 * Not modelled: bridges and buses other than 0, I/O BARs, expansion ROMs, power
 * management states, MSI of several messages, parity and system errors,
 * extended configuration space (reads zero), moving the ECAM window.
 */
#ifndef PARTERRE_DEVICES_PCI_H
#define PARTERRE_DEVICES_PCI_H

#include "sim/machine.h"

#define PCI_ECAM_BASE  UINT64_C(0xB0000000)
#define PCI_ECAM_BYTES UINT64_C(0x10000000) /* 256 buses */
#define PCI_SLOTS      32
#define PCI_BARS       6
/* The reset control register (port CF9, a byte), as in Intel's chip sets. */
#define PCI_RESET_CONTROL 0xCF9
#define PCI_RST_CPU       0x04
#define PCI_RST_BITS      0x0E /* FULL_RST, RST_CPU, SYS_RST */
/* INTA of a slot is one of four wires, as on every PC. */
#define PCI_INTA_PIN(slot) (16 + (slot) % 4)

/* Configuration space header (PCI 6.1). */
enum {
	PCI_VENDOR_ID = 0x00,
	PCI_DEVICE_ID = 0x02,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_REVISION = 0x08,
	PCI_CLASS = 0x09,
	PCI_HEADER_TYPE = 0x0E,
	PCI_BAR0 = 0x10,
	PCI_SUBSYSTEM_VENDOR = 0x2C,
	PCI_SUBSYSTEM_ID = 0x2E,
	PCI_CAPABILITIES = 0x34,
	PCI_INTERRUPT_LINE = 0x3C,
	PCI_INTERRUPT_PIN = 0x3D,
};

#define PCI_COMMAND_MEMORY       0x0002
#define PCI_COMMAND_MASTER       0x0004
#define PCI_COMMAND_INTX_DISABLE 0x0400
#define PCI_STATUS_INTX          0x0008
#define PCI_STATUS_CAPABILITIES  0x0010

#define PCI_CAP_MSI     0x05
#define PCI_CAP_MSIX    0x11
#define PCI_CAP_EXPRESS 0x10

struct pci_ident {
	uint16_t vendor, device;
	uint32_t class_code; /* base, sub, interface */
	uint8_t revision;
	uint16_t subsystem_vendor, subsystem;
};

struct pci_bar {
	uint64_t bytes; /* 0: no such BAR; a power of two, at least 4096 */
	const struct bus_ops *ops;
	uint64_t mapped; /* where it answers; 0: nowhere */
	char name[24];   /* "nvme0.bar0" */
};

#define PCI_MSIX_VECTORS_MAX 64
#define PCI_MSIX_ENTRY_WORDS 4 /* address low and high, data, control */

struct pci_function {
	struct device device;
	/* Silicon. */
	uint8_t config[256];
	uint32_t msix_table[PCI_MSIX_VECTORS_MAX * PCI_MSIX_ENTRY_WORDS];
	uint64_t msix_pending;
	uint32_t intx; /* what the function wants of INTA */
	/* Faults (pci_fault.c). */
	uint32_t fault_message, fault_strays, fault_removed, late_data;
	uint32_t fault_deaf; /* a class's: bus mastering off stops no DMA */
	uint64_t fault_argument, fault_stray, late_address;
	/* Wiring. */
	uint8_t writable[256]; /* bits that software changes */
	uint8_t image[256];    /* configuration space after reset */
	struct pci_bar bar[PCI_BARS];
	struct irq_line inta;
	struct pci_function *const *bus; /* all functions by slot */
	unsigned slot;
	unsigned cap_last, cap_free; /* building the list of capabilities */
	unsigned msi_cap, msix_cap, msix_vectors;
	unsigned express_cap;
	struct event late;
	char late_name[24];
	/* Called for function-level reset and after a configuration write; may
	 * be NULL. */
	void (*flr)(struct pci_function *f);
	void (*config_written)(struct pci_function *f);
	/* Called before a read, after a write at this offset: for capabilities
	 * that are windows to something else; may be NULL. */
	void (*config_reading)(struct pci_function *f, unsigned off);
	void (*config_wrote)(struct pci_function *f, unsigned off);
};

/* For the field table of a class whose object is `type`. */
#define PCI_FIELDS(type)                                                       \
	DEVICE_ARRAY(type, pci.config), DEVICE_ARRAY(type, pci.msix_table),    \
		DEVICE_FIELD(type, pci.msix_pending),                          \
		DEVICE_FIELD(type, pci.intx),                                  \
		DEVICE_FIELD(type, pci.fault_message),                         \
		DEVICE_FIELD(type, pci.fault_strays),                          \
		DEVICE_FIELD(type, pci.fault_removed),                         \
		DEVICE_FIELD(type, pci.fault_deaf),                            \
		DEVICE_FIELD(type, pci.late_data),                             \
		DEVICE_FIELD(type, pci.fault_argument),                        \
		DEVICE_FIELD(type, pci.fault_stray),                           \
		DEVICE_FIELD(type, pci.late_address)

/* For a class's list of faults, and its fault(): false: not one of them. */
#define PCI_FAULTS                                                             \
	"msi-lost", "msi-late", "msi-vector", "msi-spurious", "stray", "remove"
bool pci_fault(struct pci_function *f, const char *name, uint64_t argument);

/* Registers in the host bridge "pci0" at the slot of property "slot". */
bool pci_function_init(struct pci_function *f, const struct pci_ident *ident,
		       const struct device_prop *props, size_t prop_count,
		       struct error *err);
/* A 64-bit memory BAR; `index` is even.  Its first address is the property
 * "bar<index>". */
bool pci_bar_declare(struct pci_function *f, unsigned index, uint64_t bytes,
		     const struct bus_ops *ops, const struct device_prop *props,
		     size_t prop_count, struct error *err);
/* A PCI Express capability (root complex integrated endpoint) with
 * function-level reset. */
void pci_express_declare(struct pci_function *f);
void pci_msi_declare(struct pci_function *f); /* one message */
void pci_msix_declare(struct pci_function *f, unsigned vectors, unsigned bar,
		      uint32_t table_off, uint32_t pba_off);
void pci_function_reset(struct pci_function *f);
void pci_function_fini(struct pci_function *f);

/* For the function's BAR: `off` counts from the start of table or PBA. */
uint64_t pci_msix_table_read(struct pci_function *f, uint64_t off,
			     unsigned size);
void pci_msix_table_write(struct pci_function *f, uint64_t off, unsigned size,
			  uint64_t value);
uint64_t pci_msix_pba_read(struct pci_function *f, uint64_t off, unsigned size);

bool pci_msix_enabled(const struct pci_function *f);
/* Sends the vector's message, or holds it pending while masked. */
void pci_msix_send(struct pci_function *f, unsigned vector);
/* What the vector told of was dealt with meanwhile (PCI 6.8.3.4). */
void pci_msix_withdraw(struct pci_function *f, unsigned vector);
bool pci_msi_enabled(const struct pci_function *f);
/* Sends the message, or holds it pending while masked. */
void pci_msi_send(struct pci_function *f);
/* MSI or MSI-X is enabled: INTA is silent. */
bool pci_messages_enabled(const struct pci_function *f);
void pci_intx_set(struct pci_function *f, bool level);

/* False: bus mastering is off, or the address is not RAM, or the IOMMU does not
 * let it through: what lies in pages before was moved. */
bool pci_dma_read(struct pci_function *f, paddr_t pa, void *buf,
		  uint64_t bytes);
bool pci_dma_write(struct pci_function *f, paddr_t pa, const void *buf,
		   uint64_t bytes);

/* By an IOMMU, in its init: it says where the DMA of `from` goes, whose bus,
 * device and function are `requester`.  False: nowhere. */
typedef bool pci_remap_fn(struct device *iommu, const struct device *from,
			  uint16_t requester, paddr_t at, bool write,
			  paddr_t *to);
void pci_remap_by(struct device *iommu, pci_remap_fn *remap);

#endif
