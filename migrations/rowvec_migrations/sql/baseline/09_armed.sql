-- Is any daemon armed? 1: no. 2: yes. doorbell/note_armed.sql keeps it.
CREATE SEQUENCE rowvec_internal.armed MINVALUE 1 MAXVALUE 2;
