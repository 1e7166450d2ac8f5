-- Is any daemon armed? 1: no, 2: yes. Kept by doorbell/note_armed.sql.
CREATE SEQUENCE rowvec_internal.armed MINVALUE 1 MAXVALUE 2;
