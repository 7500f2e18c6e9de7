"""What the connectors of ERP systems share: lines, what is made of them, how they are told."""
